import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { systemClock } from '../../../api/base/system-clock.ts';
import { createHostFiles } from '../../linux/files/host-files.ts';
import { type LogOptions, readContainerLog } from './container-log.ts';
import { formatLogTime, parseLogLine } from '../containers/log-line.ts';

const all: LogOptions = {
  follow: false,
  timestamps: false,
  tailLines: undefined,
  limitBytes: undefined,
  sinceMs: undefined,
  stream: 'All',
};
const line = (second: number, text: string, stream = 'stdout', tag = 'F') => `2026-01-01T00:00:0${second}.5Z ${stream} ${tag} ${text}\n`;

describe('parseLogLine', () => {
  const time = '2026-11-24T06:40:21.86Z';
  const cases: [string, unknown][] = [
    [`${time} stdout F hello  world `, { time, stream: 'stdout', isPartial: false, content: 'hello  world ' }],
    [`${time} stderr P part`, { time, stream: 'stderr', isPartial: true, content: 'part' }],
    [`${time} stdout F `, { time, stream: 'stdout', isPartial: false, content: '' }],
    [`${time} stdout F`, { time, stream: 'stdout', isPartial: false, content: '' }],
    [JSON.stringify({ log: 'a line\n', stream: 'stderr', time }), { time, stream: 'stderr', isPartial: false, content: 'a line' }],
    [JSON.stringify({ log: 'part', stream: 'stdout', time }), { time, stream: 'stdout', isPartial: true, content: 'part' }],
    [JSON.stringify({ log: '\n', stream: 'stdout', time }), { time, stream: 'stdout', isPartial: false, content: '' }],
    [JSON.stringify({ log: 'x\n', stream: 'stdin', time }), undefined],
    ['{"log":"cut off', undefined],
    ['{}', undefined],
    ['', undefined],
    ['no log line', undefined],
    [`${time} stdin F x`, undefined],
  ];
  for (const [text, expected] of cases) it(JSON.stringify(text), () => assert.deepEqual(parseLogLine(text), expected));
});

describe('formatLogTime', () => {
  const cases: [string, string][] = [
    ['2026-11-24T06:40:21.86Z', '2026-11-24T06:40:21.860000000Z'],
    ['2026-11-24T06:40:21.123456789+00:00', '2026-11-24T06:40:21.123456789Z'],
    ['2026-11-24T06:40:21.1+02:00', '2026-11-24T06:40:21.100000000+02:00'],
    ['2026-11-24T06:40:21-01:30', '2026-11-24T06:40:21.000000000-01:30'],
    ['2026-11-24T06:40:21Z', '2026-11-24T06:40:21.000000000Z'],
    ['not a time', 'not a time'],
  ];
  for (const [time, expected] of cases) it(time, () => assert.equal(formatLogTime(time), expected));
});

describe('readContainerLog', () => {
  let directory = '';
  before(async () => {
    directory = await mkdtemp(`${tmpdir()}/container-log-`);
  });
  after(() => rm(directory, { recursive: true }));

  const open = (options: Partial<LogOptions>, isRunning: () => boolean = () => false) =>
    readContainerLog(
      {
        files: createHostFiles(),
        path: `${directory}/0.log`,
        clock: systemClock,
        isRunning: async () => isRunning(),
        signal: new AbortController().signal,
      },
      { ...all, ...options },
    );
  const read = async (content: string, options: Partial<LogOptions>) => {
    await writeFile(`${directory}/0.log`, content);
    const chunks: Uint8Array[] = [];
    for await (const chunk of open(options)) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };
  const log = line(1, 'one') + line(2, 'two', 'stderr') + line(3, 'thr', 'stdout', 'P') + line(3, 'ee') + line(4, 'four');

  const cases: [string, Partial<LogOptions>, string][] = [
    ['everything, parts joined', {}, 'one\ntwo\nthree\nfour\n'],
    ['the last line', { tailLines: 1 }, 'four\n'],
    ['the last lines, one of them in parts', { tailLines: 2 }, 'three\nfour\n'],
    ['more lines than there are', { tailLines: 9 }, 'one\ntwo\nthree\nfour\n'],
    ['no line', { tailLines: 0 }, ''],
    ['a time', { sinceMs: 1_767_225_602_500 }, 'two\nthree\nfour\n'],
    ['bytes', { limitBytes: 5 }, 'one\nt'],
    ['one stream', { stream: 'Stderr' }, 'two\n'],
    ['times', { timestamps: true, tailLines: 1 }, '2026-01-01T00:00:04.500000000Z four\n'],
  ];
  for (const [name, options, expected] of cases) it(name, async () => assert.equal(await read(log, options), expected));

  it('finds the end of a log larger than it reads at once', async () => {
    const lines = Array.from({ length: 5000 }, (_, index) => line(1, `line ${index} ${'x'.repeat(40)}`));
    const text = await read(lines.join(''), { tailLines: 3000 });
    assert.deepEqual([text.split('\n').length - 1, text.startsWith('line 2000 ')], [3000, true]);
  });

  it('gives no more lines than were asked for, though the log grows meanwhile', async () => {
    await writeFile(`${directory}/0.log`, log);
    const files = createHostFiles();
    let reads = 0;
    const growing: typeof files = {
      ...files,
      async open(path) {
        const file = await files.open(path);
        const read: typeof file.read = async (...range) => {
          // After its end was looked for.
          if (reads++ === 1) await appendFile(path, line(5, 'five'));
          return file.read(...range);
        };
        return { ...file, read };
      },
    };
    const { signal } = new AbortController();
    const source = { files: growing, path: `${directory}/0.log`, clock: systemClock, isRunning: async () => true, signal };
    const chunks: Uint8Array[] = [];
    for await (const chunk of readContainerLog(source, { ...all, tailLines: 2 })) chunks.push(chunk);
    assert.deepEqual([Buffer.concat(chunks).toString(), reads > 1], ['three\nfour\n', true]);
  });

  it('reads what Docker wrote', async () => {
    const entry = (second: number, text: string) =>
      `${JSON.stringify({ log: text, stream: 'stdout', time: `2026-01-01T00:00:0${second}.5Z` })}\n`;
    const text = entry(1, 'one\n') + entry(2, 'tw') + entry(2, 'o\n') + entry(3, 'three\n');
    assert.deepEqual([await read(text, {}), await read(text, { tailLines: 2 })], ['one\ntwo\nthree\n', 'two\nthree\n']);
  });

  it('follows until the container has ended, and reads what it wrote last', async () => {
    await writeFile(`${directory}/0.log`, line(1, 'first'));
    let runs = true;
    const texts: string[] = [];
    for await (const chunk of open({ follow: true }, () => runs)) {
      texts.push(Buffer.from(chunk).toString());
      if (texts.length === 1) await appendFile(`${directory}/0.log`, line(2, 'second'));
      if (texts.length === 2) {
        await rename(`${directory}/0.log`, `${directory}/0.log.old`);
        await appendFile(`${directory}/0.log.old`, line(3, 'late'));
        await writeFile(`${directory}/0.log`, line(3, 'rotated'));
      }
      if (texts.join('').endsWith('rotated\n')) {
        await appendFile(`${directory}/0.log`, line(3, 'last'));
        runs = false;
      }
    }
    assert.equal(texts.join(''), 'first\nsecond\nlate\nrotated\nlast\n');
  });
});
