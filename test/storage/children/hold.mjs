// Opens the data directory in argv[2], says so or why not, and holds it until stdin ends.
import { openDataDir } from '../../../dist/services/storage/data-dir.js';

process.stdin.once('data', () => {
  try {
    openDataDir(process.argv[2]);
    process.stdout.write('held\n');
  } catch (error) {
    process.stdout.write(`${error.kind} ${error.pid}\n`);
  }
});
process.stdin.once('end', () => process.exit());
process.stdout.write('ready\n');
