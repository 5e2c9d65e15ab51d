import type { Client } from '../../../api/client/client.ts';
import { readBody } from '../../../api/client/read-body.ts';
import { responseError } from '../../../api/client/response-error.ts';
import { localVolumesAction } from '../../../api/semantics/storage/local-volumes.ts';

/** Directories on the disks of nodes, made and removed by the nodes' kubelets, which the API server reaches. */
export interface NodeDirectories {
  /** Answers the path on the node. Made already is fine. */
  make(nodeName: string, name: string): Promise<string>;
  /** Gone already is fine. */
  remove(nodeName: string, name: string): Promise<void>;
}

export function createNodeDirectories({ transport }: Client, signal: AbortSignal): NodeDirectories {
  const ask = async (method: string, nodeName: string, name: string): Promise<Uint8Array> => {
    const path = `/api/v1/nodes/${encodeURIComponent(nodeName)}/proxy/${localVolumesAction}/${encodeURIComponent(name)}`;
    const response = await transport({ method, path, query: '', headers: {}, signal });
    if (response.status >= 300) throw await responseError(response);
    return readBody(response.body);
  };
  return {
    async make(nodeName, name) {
      const answer: unknown = JSON.parse(new TextDecoder().decode(await ask('PUT', nodeName, name)));
      const path = typeof answer === 'object' && answer !== null && 'path' in answer ? answer.path : undefined;
      if (typeof path !== 'string' || !path.startsWith('/')) throw new Error(`node ${nodeName} named no directory`);
      return path;
    },
    async remove(nodeName, name) {
      await ask('DELETE', nodeName, name);
    },
  };
}
