import assert from 'node:assert/strict';
import { createHostFiles, type FileFacts, type HostFiles } from '../../linux/files/host-files.ts';
import { HTTPProblem } from './http-problem.ts';
import { openSystemLog } from './system-logs.ts';

/** A machine with these files of logs. */
function machine(logs: Readonly<Record<string, string>>): HostFiles {
  const below = (directory: string) => Object.keys(logs).filter((path) => path.startsWith(`${directory}/`));
  const of = (kind: FileFacts['kind']): FileFacts => ({ kind, sizeBytes: 0, mode: 0o644, gid: 0, inode: 1, deviceNumber: 1 });
  return {
    ...createHostFiles(),
    facts: async (path) => (path in logs ? of('file') : below(path).length > 0 ? of('directory') : undefined),
    names: async (directory) => [...new Set(below(directory).map((path) => path.slice(directory.length + 1).split('/')[0] ?? ''))],
    async *stream(path) {
      yield new TextEncoder().encode(logs[path]);
    },
  };
}

describe('logs of the machine', () => {
  const files = machine({ '/var/log/syslog': 'one\n', '/var/log/a&b <c>?': '', '/var/log/pods/p/0.log': 'two\n', '/etc/shadow': 'secret' });

  it('are given as they are', async () => {
    const { contentType, content } = await openSystemLog(files, ['pods', 'p', '0.log']);
    assert.equal(contentType, 'text/plain; charset=utf-8');
    assert.notEqual(typeof content, 'string');
    const chunks: string[] = [];
    for await (const chunk of content) chunks.push(typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk));
    assert.deepEqual(chunks, ['two\n']);
  });

  it('are listed by folder', async () => {
    const { contentType, content } = await openSystemLog(files, []);
    assert.equal(contentType, 'text/html; charset=utf-8');
    assert.equal(
      content,
      '<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n' +
        '<a href="a&b%20%3Cc%3E%3F">a&amp;b &lt;c&gt;?</a>\n<a href="pods/">pods/</a>\n<a href="syslog">syslog</a>\n</pre>\n',
    );
  });

  for (const path of [['nothing'], ['..', '..', 'etc', 'shadow'], ['../../etc/shadow'], ['.'], ['syslog\0']]) {
    it(`are nothing else: ${JSON.stringify(path)}`, () => assert.rejects(openSystemLog(files, path), HTTPProblem));
  }
});
