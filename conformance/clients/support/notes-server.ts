import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

const group = 'ext.example.com';
const base = `/apis/${group}/v1`;

interface Note {
  readonly metadata: { name: string; namespace: string; resourceVersion?: string; uid?: string; creationTimestamp?: string };
  readonly [field: string]: unknown;
}

/** The users that came, by the header of the front proxy. */
export interface NotesServer {
  readonly listener: RequestListener;
  readonly users: Set<string>;
}

const verbs = ['create', 'delete', 'get', 'list', 'watch'];
const resources = [{ name: 'notes', singularName: 'note', namespaced: true, kind: 'Note', verbs, shortNames: ['nt'] }];
const schema = {
  type: 'object',
  description: 'Note is a piece of paper.',
  properties: {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: 'object' },
    text: { type: 'string', description: 'Words on the paper.' },
  },
  'x-kubernetes-group-version-kind': [{ group, version: 'v1', kind: 'Note' }],
};
const openAPI = {
  openapi: '3.0.0',
  info: { title: 'notes', version: 'v1' },
  paths: {
    [`${base}/namespaces/{namespace}/notes/{name}`]: {
      get: { responses: {}, 'x-kubernetes-group-version-kind': { group, version: 'v1', kind: 'Note' } },
    },
  },
  components: { schemas: { 'com.example.ext.v1.Note': schema } },
};

/** A small API server with one kind, `notes`, kept in memory: written as an author of an extension would write it, without a library. */
export function createNotesServer(): NotesServer {
  const notes = new Map<string, Note>();
  const users = new Set<string>();
  const watchers = new Set<{ readonly response: ServerResponse; readonly namespace: string }>();
  let revision = 1;
  const tell = (type: string, note: Note) => {
    for (const { response, namespace } of watchers)
      if (namespace === '' || namespace === note.metadata.namespace) response.write(`${JSON.stringify({ type, object: note })}\n`);
  };
  const listener: RequestListener = async (request, response) => {
    const url = new URL(request.url ?? '', 'https://notes');
    const user = request.headers['x-remote-user'];
    if (typeof user === 'string') users.add(user);
    const document = documents[url.pathname];
    if (document !== undefined) return json(response, 200, document);
    const [, namespace = '', name] = new RegExp(`^${base}/(?:namespaces/([^/]+)/)?notes(?:/([^/]+))?$`).exec(url.pathname) ?? [];
    if (!url.pathname.startsWith(`${base}/`)) return fail(response, 404, 'NotFound', 'the server could not find the requested resource');
    const chosen = () => [...notes.values()].filter(({ metadata }) => namespace === '' || metadata.namespace === namespace);
    if (request.method === 'POST') {
      const note = JSON.parse(await textOf(request)) as Note;
      Object.assign(note.metadata, {
        namespace,
        uid: `uid-${revision}`,
        resourceVersion: String(++revision),
        creationTimestamp: '2026-01-01T00:00:00Z',
      });
      notes.set(`${namespace}/${note.metadata.name}`, note);
      tell('ADDED', note);
      return json(response, 201, note);
    }
    if (name === undefined && url.searchParams.has('watch')) {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      const watcher = { response, namespace };
      watchers.add(watcher);
      response.on('close', () => watchers.delete(watcher));
      return;
    }
    if (name === undefined)
      return json(response, 200, {
        kind: 'NoteList',
        apiVersion: `${group}/v1`,
        metadata: { resourceVersion: String(revision) },
        items: chosen(),
      });
    const note = notes.get(`${namespace}/${name}`);
    if (!note) return fail(response, 404, 'NotFound', `notes.${group} "${name}" not found`);
    if (request.method === 'DELETE') {
      notes.delete(`${namespace}/${name}`);
      tell('DELETED', note);
    }
    json(response, 200, note);
  };
  return { listener: (request, response) => void listener(request, response), users };
}

const documents: Readonly<Record<string, object>> = {
  '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
  [base]: { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: `${group}/v1`, resources },
  '/openapi/v3': { paths: { [`apis/${group}/v1`]: { serverRelativeURL: `/openapi/v3${base}?hash=1` } } },
  [`/openapi/v3${base}`]: openAPI,
};

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

function json(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function fail(response: ServerResponse, code: number, reason: string, message: string): void {
  json(response, code, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason, message, code });
}
