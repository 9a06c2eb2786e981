/**
 * Types, rules and layout of the code, all at once: they need each other's results no more than each
 * other's time. Fails when one of them does, after all have ended.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const CHECKS = [
  ['tsc', '-p', 'tsconfig.check.json'],
  ['tsc', '-p', 'clients/dashboard/tsconfig.json'],
  ['eslint', '.'],
  ['prettier', '--check', '--log-level', 'warn', '.'],
];

const codes = await Promise.all(
  CHECKS.map(async ([name, ...args]) => {
    const child = spawn(`node_modules/.bin/${name}`, args, { stdio: 'inherit' });
    const [code] = await once(child, 'close');
    return code ?? 1;
  }),
);
process.exitCode = codes.every((code) => code === 0) ? 0 : 1;
