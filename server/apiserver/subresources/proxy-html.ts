import { Readable } from 'node:stream';
import { createGunzip, createInflate } from 'node:zlib';
import type { APIResponse } from '../../../api/client/transport.ts';

/** Attributes of HTML that contain one address each. */
const addresses: Readonly<Record<string, readonly string[]>> = {
  a: ['href'],
  applet: ['codebase'],
  area: ['href'],
  audio: ['src'],
  base: ['href'],
  blockquote: ['cite'],
  body: ['background'],
  button: ['formaction'],
  command: ['icon'],
  del: ['cite'],
  embed: ['src'],
  form: ['action'],
  frame: ['longdesc', 'src'],
  head: ['profile'],
  html: ['manifest'],
  iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'],
  input: ['src', 'usemap', 'formaction'],
  ins: ['cite'],
  link: ['href'],
  object: ['classid', 'codebase', 'data', 'usemap'],
  q: ['cite'],
  script: ['src'],
  source: ['src'],
  video: ['poster', 'src'],
};

/** Elements whose content is text, whatever it looks like. */
const rawText = new Set(['script', 'style', 'textarea', 'title', 'iframe', 'noembed', 'noframes', 'noscript', 'xmp']);

/** A tag that does not end within this many characters is none. */
const maxTag = 1 << 16;

const tag = /<([a-zA-Z][^\s/>]*)((?:"[^"]*"|'[^']*'|[^'">])*)>/y;
const attribute = /([^\s"'>/=]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)/g;

/** Rewrites the addresses in a stream of HTML. The text may be in any encoding that contains ASCII, one character for each byte. */
export class HTMLRewriter {
  readonly #rewrite: (address: string) => string;
  #pending = '';
  #until: string | undefined;

  constructor(rewrite: (address: string) => string) {
    this.#rewrite = rewrite;
  }

  push(text: string, isLast = false): string {
    const input = this.#pending + text;
    let output = '';
    let at = 0;
    while (at < input.length) {
      if (this.#until !== undefined) {
        const end = input.toLowerCase().indexOf(this.#until, at);
        const next = end < 0 ? Math.max(at, input.length - (isLast ? 0 : this.#until.length - 1)) : end;
        output += input.slice(at, next);
        at = next;
        if (end < 0) break;
        this.#until = undefined;
        continue;
      }
      const opening = input.indexOf('<', at);
      const next = opening < 0 ? input.length : opening;
      output += input.slice(at, next);
      at = next;
      if (opening < 0) break;
      const step = this.#markup(input, at, isLast);
      if (step === undefined) break;
      output += step;
      at += this.#consumed;
    }
    this.#pending = isLast ? '' : input.slice(at);
    return isLast ? output + input.slice(at) : output;
  }

  #consumed = 0;

  /** The replacement of the markup at `at`; undefined if it is not complete yet. */
  #markup(input: string, at: number, isLast: boolean): string | undefined {
    const rest = input.length - at;
    if (rest < 4 && !isLast) return undefined;
    if (input.startsWith('<!--', at)) {
      this.#until = '-->';
      this.#consumed = 4;
      return '<!--';
    }
    tag.lastIndex = at;
    const match = tag.exec(input);
    if (!match) {
      if (/^[a-zA-Z]/.test(input.charAt(at + 1)) && rest < maxTag && !isLast) return undefined;
      this.#consumed = 1;
      return '<';
    }
    const [whole, name = '', attributes = ''] = match;
    const element = name.toLowerCase();
    if (rawText.has(element)) this.#until = `</${element}`;
    this.#consumed = whole.length;
    const names = addresses[element];
    if (!names) return whole;
    const rewritten = attributes.replace(attribute, (text: string, key: string, equals: string, value: string) => {
      if (!names.includes(key.toLowerCase())) return text;
      const quote = value.startsWith('"') || value.startsWith("'") ? value.charAt(0) : '';
      return `${key}${equals}${quote}${this.#rewrite(quote === '' ? value : value.slice(1, -1))}${quote}`;
    });
    return `<${name}${rewritten}>`;
  }
}

/** The response, its links leading through the proxy where it is HTML in an encoding that is understood. */
export function rewriteHTML(response: APIResponse, rewrite: (address: string) => string): APIResponse {
  const { 'content-length': _length, 'content-encoding': encoding = '', ...headers } = response.headers;
  const { body } = response;
  const isHTML = /^text\/html\s*(;|$)/i.test(response.headers['content-type'] ?? '');
  if (!isHTML || body.kind === 'none' || !['', 'identity', 'gzip', 'deflate'].includes(encoding)) return response;
  const raw = body.kind === 'bytes' ? Readable.from([body.bytes]) : body.chunks;
  return { ...response, headers, body: { kind: 'stream', chunks: rewritten(decompress(raw, encoding), new HTMLRewriter(rewrite)) } };
}

function decompress(chunks: AsyncIterable<Uint8Array>, encoding: string): AsyncIterable<Uint8Array> {
  if (encoding !== 'gzip' && encoding !== 'deflate') return chunks;
  const source = Readable.from(chunks);
  const target = encoding === 'gzip' ? createGunzip() : createInflate();
  source.on('error', (error) => target.destroy(error));
  target.on('close', () => source.destroy());
  return source.pipe(target);
}

async function* rewritten(chunks: AsyncIterable<Uint8Array>, rewriter: HTMLRewriter): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    const text = rewriter.push(Buffer.from(chunk).toString('latin1'));
    if (text !== '') yield Buffer.from(text, 'latin1');
  }
  const rest = rewriter.push('', true);
  if (rest !== '') yield Buffer.from(rest, 'latin1');
}
