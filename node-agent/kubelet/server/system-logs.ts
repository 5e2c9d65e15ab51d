import type { HostFiles } from '../../linux/files/host-files.ts';
import { HTTPProblem } from './http-problem.ts';

interface SystemLog {
  readonly contentType: string;
  readonly content: string | AsyncIterable<Uint8Array>;
}

const root = '/var/log';

/** GET /logs/...: the machine's own logs as they are, and its folders of them as pages of links. */
export async function openSystemLog(files: HostFiles, path: readonly string[]): Promise<SystemLog> {
  // Encoded slashes are part of a name here, and there are no such names.
  if (path.some((name) => name === '.' || name === '..' || /[/\0]/.test(name))) throw new HTTPProblem(400, 'invalid URL path');
  const place = [root, ...path].join('/');
  const facts = await files.facts(place);
  if (facts?.kind === 'directory') return { contentType: 'text/html; charset=utf-8', content: await listing(files, place) };
  if (facts?.kind !== 'file') throw new HTTPProblem(404, '404 page not found');
  return { contentType: 'text/plain; charset=utf-8', content: files.stream(place) };
}

async function listing(files: HostFiles, place: string): Promise<string> {
  const links: string[] = [];
  for (const name of (await files.names(place)).sort()) {
    const facts = await files.facts(`${place}/${name}`, { followLinks: false });
    const shown = facts?.kind === 'directory' ? `${name}/` : name;
    links.push(`<a href="${encodeURI(shown).replaceAll(/[?#]/g, encodeURIComponent)}">${escapeHTML(shown)}</a>\n`);
  }
  return `<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n${links.join('')}</pre>\n`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' };

function escapeHTML(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}
