/** The architecture, as rules on imports and calls: what may know what, and what is never used. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('..', import.meta.url).pathname;

type ImportRule = {
  /** Which files; the first row that fits decides. */
  readonly files: RegExp;
  /** What they may import: repository paths or package names. */
  readonly allow: RegExp;
  readonly why: string;
};

const IMPORTS: readonly ImportRule[] = [
  {
    files: /^services\/hash\/core\/digest\.ts$/,
    allow: /^(?:node:crypto$|services\/[^/]+\/core\/)/,
    why: 'the digest may hash, and nothing else',
  },
  {
    files: /^services\/[^/]+\/core\//,
    allow: /^services\/(?:[^/]+\/core\/|errors\.ts|limits\.ts)/,
    why: 'core is pure',
  },
  {
    files: /^services\/simulator\//,
    allow: /^services\/(?:[^/]+\/core\/|simulator\/|system\/chance\.ts)/,
    why: 'the simulator runs production cores, and nothing else',
  },
  {
    files: /^services\/system\//,
    allow: /^(?:services\/system\/|node:v8$)/,
    why: 'the system knows nobody, but how its heap grows',
  },
  {
    files: /^clients\/sdk\//,
    allow: /^(?:clients\/sdk\/|proto\/gen\/|@grpc\/grpc-js$|node:(?:events|stream)$)/,
    why: 'the SDK knows the proto, not the servers',
  },
  {
    files: /^clients\/cli\//,
    allow:
      /^(?:clients\/(?:cli|sdk)\/|services\/main\.ts$|services\/simulator\/|services\/legacy\/(?:core\/(?:dialect|session)|line-client|[\w-]+\/(?:[\w-]+-)?codec)\.ts$|(?:cli-progress|commander|piscina|yaml|zod)$|node:)/,
    why: 'the CLI uses the SDK and the codecs of dialects, and starts nodes and simulations',
  },
  {
    files: /^clients\/dashboard\//,
    allow:
      /^(?:clients\/dashboard\/|clients\/sdk\/timing\.ts$|services\/dashboard\/messages\.ts$|preact(?:\/hooks)?$|d3-(?:selection|transition)$)/,
    why: 'the page knows what its node tells it, and nothing of the node',
  },
  {
    files: /^services\/compose(?:\.ts$|\/)/,
    allow: /./,
    why: 'the composition root names everything',
  },
  {
    files:
      /^services\/(?:.+\/)?(?:wire[\w-]*|handler|node-handler|registry-handler|table-handler|face|link|forward|directory|ring-finder)\.ts$|^services\/rpc\//,
    allow: /^(?!test\/|clients\/|services\/compose)/,
    why: 'the gRPC face knows generated code',
  },
  {
    files: /^services\//,
    allow: /^(?!test\/|clients\/|proto\/gen\/|@grpc\/|services\/compose)|^services\/compose\.ts$/,
    why: 'only the gRPC face knows gRPC',
  },
  { files: /^(?:test|bench)\//, allow: /./, why: 'tests and benches may know everything' },
];

type BanRule = { readonly files: RegExp; readonly ban: RegExp; readonly why: string };

const BANS: readonly BanRule[] = [
  {
    files: /^(?:services\/(?!system\/)|clients\/(?!sdk\/timing\.ts))/,
    ban: /\bDate\.now\(|\bMath\.random\(|\bset(?:Timeout|Interval|Immediate)\(|\bAbortSignal\.timeout\(/,
    why: 'time and chance come from services/system and clients/sdk/timing.ts',
  },
  {
    files: /^(?:services|clients)\/(?!cli\/|sdk\/(?:resolver\/environment\.ts|examples\/))/,
    ban: /\bprocess\.(?:env|argv)\b/,
    why: 'only programs read the environment and the arguments, and the resolver where its binders are',
  },
  {
    files: /^services\/.*core\//,
    ban: /\basync\b|\bawait\b|\bPromise\b/,
    why: 'core is synchronous',
  },
  {
    files: /^(?:services|clients|bench)\//,
    ban: /\bconsole\.|\bTODO\b|\bFIXME\b|@ts-ignore|\bas any\b|: any\b|\bexport default\b/,
    why: 'left-overs',
  },
];

const sources = ['services', 'clients', 'bench', 'test'].flatMap((folder) => filesBelow(folder));

function filesBelow(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder)).flatMap((name) => {
    const path = `${folder}/${name}`;
    if (statSync(join(ROOT, path)).isDirectory()) return filesBelow(path);
    return /\.tsx?$/.test(path) ? [path] : [];
  });
}

/** What a file imports, as repository paths or package names; types as well as values. */
function importsOf(file: string, text: string): readonly string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2023);
  return source.statements.flatMap((statement) => {
    const isImport = ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement);
    const specifier = isImport ? statement.moduleSpecifier : undefined;
    if (specifier === undefined || !ts.isStringLiteral(specifier)) return [];
    return [targetOf(file, specifier.text)];
  });
}

function targetOf(file: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier;
  const path = relative('.', normalize(join(dirname(file), specifier))).replace(/\.js$/, '.ts');
  return existsSync(join(ROOT, `${path}x`)) ? `${path}x` : path;
}

function brokenImports(file: string, text: string): readonly string[] {
  const rule = IMPORTS.find(({ files }) => files.test(file));
  if (rule === undefined) return [`${file} belongs to no rule`];
  return importsOf(file, text)
    .filter((target) => !rule.allow.test(target))
    .map((target) => `${file} imports ${target}: ${rule.why}`);
}

function brokenBans(file: string, text: string): readonly string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  return BANS.filter(({ files, ban }) => files.test(file) && ban.test(code)).map(
    ({ why, ban }) => `${file} has ${ban.exec(code)?.[0] ?? ''}: ${why}`,
  );
}

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

describe('the tree', () => {
  it('imports only what its place allows', () => {
    expect(sources.flatMap((file) => brokenImports(file, read(file)))).toEqual([]);
  });

  it('calls nothing that is banned in its place', () => {
    expect(sources.flatMap((file) => brokenBans(file, read(file)))).toEqual([]);
  });

  it('has no import cycles', () => {
    const graph = new Map(
      sources.map((file) => [
        file,
        importsOf(file, read(file)).filter((it) => sources.includes(it)),
      ]),
    );
    const done = new Set<string>();
    const cycleFrom = (file: string, path: readonly string[]): readonly string[] | undefined => {
      if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
      if (done.has(file)) return undefined;
      for (const next of graph.get(file) ?? []) {
        const cycle = cycleFrom(next, [...path, file]);
        if (cycle !== undefined) return cycle;
      }
      done.add(file);
      return undefined;
    };
    const cycles = sources.flatMap((file) => cycleFrom(file, [])?.join(' > ') ?? []);
    expect([...new Set(cycles)]).toEqual([]);
  });

  it('records no registry host in the lock file', () => {
    expect(read('package-lock.json')).not.toMatch(/"resolved":/);
  });
});

describe('the rules', () => {
  it.each([
    ['services/peer/core/x.ts', "import fs from 'node:fs';"],
    ['services/peer/core/x.ts', "import { link } from '../link.js';"],
    ['services/hash/keeper.ts', "import { Server } from '@grpc/grpc-js';"],
    ['clients/sdk/x.ts', "import { ERRORS } from '../../services/errors.js';"],
    ['services/simulator/x.ts', "import { PeerDriver } from '../peer/driver.js';"],
  ])('find an import that is not allowed in %s', (file, text) => {
    expect(brokenImports(file, text)).toHaveLength(1);
  });

  it.each([
    ['services/peer/core/x.ts', "import { isBetween } from './ring-space.js';"],
    ['services/peer/handler.ts', "import { x } from '../../proto/gen/ringbinder/v1/ring.js';"],
    ['clients/cli/main.ts', "import { serve } from '../../services/main.js';"],
  ])('let an import pass that is allowed in %s', (file, text) => {
    expect(brokenImports(file, text)).toEqual([]);
  });

  it.each([
    ['services/peer/driver.ts', 'const now = Date.now();'],
    ['services/peer/core/x.ts', 'export async function f() {}'],
    ['services/hash/keeper.ts', "const home = process.env['HOME'];"],
    ['services/hash/keeper.ts', 'console.log(1);'],
  ])('find a call that is banned in %s', (file, text) => {
    expect(brokenBans(file, text)).toHaveLength(1);
  });

  it('let comments speak of what is banned', () => {
    expect(brokenBans('services/x.ts', '// Date.now() is banned\n/* console.log */')).toEqual([]);
  });
});
