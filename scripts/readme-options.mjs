/** Writes the table of options into README.md, from the one that the program has. */
import { readFileSync, writeFileSync } from 'node:fs';
import { optionsHelp } from '../dist/services/config.js';

const rows = optionsHelp().map(
  ({ flag, env, default: byDefault, help }) =>
    `| \`${flag.replaceAll('|', '\\|')}\` | \`${env}\` | ${byDefault} | ${help} |`,
);
const table = ['| flag | environment | default | |', '| --- | --- | --- | --- |', ...rows].join(
  '\n',
);
const readme = readFileSync('README.md', 'utf8');
const marks = /(<!-- options -->\n)[\s\S]*(<!-- \/options -->)/;
writeFileSync('README.md', readme.replace(marks, `$1${table}\n$2`));
