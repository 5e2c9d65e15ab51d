import type { Client } from '../../../api/client/client.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { volumeAttachments } from '../../../api/resources/storage/v1/volume-attachment.ts';

/** The driver's data about the volume's attachment to the node. Throws while it is not attached. */
export async function readAttachment(
  client: Client,
  name: string,
  { volumeHandle }: { readonly volumeHandle: string },
): Promise<Readonly<Record<string, string>>> {
  const attachment = await ignoreNotFound(client(volumeAttachments).get({ namespace: '', name }));
  const { attached = false, attachmentMetadata = {}, attachError } = attachment?.status ?? {};
  if (attached) return attachmentMetadata;
  if (attachError?.message) throw new Error(`volume ${volumeHandle} could not be attached: ${attachError.message}`);
  throw new Error(`volume ${volumeHandle} is not attached to the node yet`);
}
