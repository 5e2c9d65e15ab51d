import type { OutgoingRequest } from './connection.ts';
import type { RequestTemplate } from './task.ts';

type FillTemplate = (object: number, value: number, version?: string) => OutgoingRequest;

/** Takes the template apart once, so that filling it in is joining strings. */
export function compileTemplate({ method, path, contentType, body }: RequestTemplate): FillTemplate {
  const fillPath = compileText(path);
  const fillBody = body === undefined ? undefined : compileText(body);
  return (object, value, version) => ({ method, path: fillPath(object, value), contentType, body: fillBody?.(object, value, version) });
}

function compileText(text: string): (object: number, value: number, version?: string) => string {
  const parts = text.split(/(%[NVR]%)/);
  if (parts.length === 1) return () => text;
  return (object, value, version = '') => {
    let filled = '';
    for (const part of parts) filled += part === '%N%' ? object : part === '%V%' ? value : part === '%R%' ? version : part;
    return filled;
  };
}

/** Numbers for `%V%` that no earlier process has used, so that every update changes something. */
export function createValues(): () => number {
  let value = Date.now() * 1000;
  return () => value++;
}
