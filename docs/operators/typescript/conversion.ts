import type { KubernetesObject } from '@kubernetes/client-node';
import { group, type Website, type WebsiteV1alpha1 } from './website.ts';

/** The annotation in which a v1alpha1 object carries the pages for which that version has no field. */
export const pagesAnnotation = 'web.example.com/v1-pages';

interface ConversionReview {
  readonly request?: { readonly uid: string; readonly desiredAPIVersion: string; readonly objects: readonly KubernetesObject[] };
}

/** Answers a ConversionReview. One object that cannot be converted fails them all, and the message says which. */
export function answerConversion(review: unknown): object {
  const { request } = review as ConversionReview;
  if (!request) throw new Error('the review has no request');
  const { uid, desiredAPIVersion, objects } = request;
  const answer = (response: object) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'ConversionReview',
    response: { uid, ...response },
  });
  try {
    const convertedObjects = objects.map((object) => convert(object, desiredAPIVersion));
    return answer({ result: { status: 'Success' }, convertedObjects });
  } catch (error) {
    return answer({ result: { status: 'Failure', message: error instanceof Error ? error.message : String(error) } });
  }
}

export function convert(object: KubernetesObject, desiredAPIVersion: string): KubernetesObject {
  if (object.apiVersion === desiredAPIVersion) return object;
  if (desiredAPIVersion === `${group}/v1`) return toV1(object as WebsiteV1alpha1);
  if (desiredAPIVersion === `${group}/v1alpha1`) return toV1alpha1(object as Website);
  throw new Error(`there is no version ${desiredAPIVersion}`);
}

function toV1(old: WebsiteV1alpha1): Website {
  const { domain, instances, html, ...spec } = old.spec;
  const { [pagesAnnotation]: kept, ...annotations } = old.metadata?.annotations ?? {};
  return {
    ...old,
    apiVersion: `${group}/v1`,
    metadata: withAnnotations(old, annotations),
    spec: {
      ...spec,
      ...(domain === undefined ? {} : { host: domain }),
      ...(instances === undefined ? {} : { replicas: instances }),
      pages: { ...(html === undefined ? {} : { 'index.html': html }), ...(kept === undefined ? {} : parsePages(old, kept)) },
    } as Website['spec'],
  };
}

function toV1alpha1(website: Website): WebsiteV1alpha1 {
  const { host, replicas, pages, ...spec } = website.spec;
  const { 'index.html': html, ...others } = pages;
  const { [pagesAnnotation]: _, ...annotations } = website.metadata?.annotations ?? {};
  const kept = Object.keys(others).length === 0 ? {} : { [pagesAnnotation]: JSON.stringify(others) };
  return {
    ...website,
    apiVersion: `${group}/v1alpha1`,
    metadata: withAnnotations(website, { ...annotations, ...kept }),
    spec: {
      ...spec,
      ...(host === undefined ? {} : { domain: host }),
      ...(replicas === undefined ? {} : { instances: replicas }),
      ...(html === undefined ? {} : { html }),
    } as WebsiteV1alpha1['spec'],
  };
}

/** The metadata with other annotations: all else in it must stay as it is, or the API server refuses the answer. */
function withAnnotations({ metadata }: KubernetesObject, annotations: Record<string, string>): NonNullable<KubernetesObject['metadata']> {
  const { annotations: _, ...rest } = metadata ?? {};
  return Object.keys(annotations).length === 0 ? rest : { ...rest, annotations };
}

function parsePages(object: KubernetesObject, text: string): Record<string, string> {
  const wrong = new Error(`website ${object.metadata?.name ?? ''}: the annotation ${pagesAnnotation} is not an object of strings`);
  let pages: unknown;
  try {
    pages = JSON.parse(text);
  } catch {
    throw wrong;
  }
  if (typeof pages !== 'object' || pages === null || Array.isArray(pages)) throw wrong;
  if (Object.values(pages).some((page) => typeof page !== 'string')) throw wrong;
  const { 'index.html': _, ...others } = pages as Record<string, string>;
  return others;
}
