import { connectMany } from './connection-pool.ts';
import { isSuccess } from './errors.ts';
import type { RequestsTask } from './task.ts';
import { compileTemplate } from './template.ts';

const member = '"resourceVersion":"';

/** The resourceVersion of an object, from the pieces of an answer. */
export class VersionReader {
  #text = '';

  read(data: Buffer, start: number, end: number): void {
    this.#text += data.toString('latin1', start, end);
  }

  /** The version in what has been read so far, which is forgotten; undefined: there is none. */
  take(): string | undefined {
    const text = this.#text;
    this.#text = '';
    // An object's own comes before those that its content may hold.
    const at = text.indexOf(member);
    const from = at + member.length;
    return at < 0 ? undefined : text.slice(from, text.indexOf('"', from));
  }
}

/** Reads the objects that a task goes round, for an update that must name their resourceVersions. */
export async function readVersions({ protocol, endpoint, template, first, count }: RequestsTask): Promise<Map<number, string>> {
  const versions = new Map<number, string>();
  const fill = compileTemplate({ method: 'GET', path: template.path });
  const pool = await connectMany(protocol, endpoint, 1, 1);
  const [place] = pool.places;
  try {
    for (let object = first; object < first + count; object++) {
      const reader = new VersionReader();
      await new Promise<void>((resolve, reject) => {
        place?.send(fill(object, 0), {
          onStatus: (status) => (isSuccess(status) ? undefined : reject(new Error(`an object was answered with ${status}`))),
          onData: (data, start, end) => reader.read(data, start, end),
          onEnd: resolve,
          onError: reject,
        });
      });
      const version = reader.take();
      if (version !== undefined) versions.set(object, version);
    }
  } finally {
    pool.close();
  }
  return versions;
}
