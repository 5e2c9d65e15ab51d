import { isSemanticallyEqual } from '../../../../../api/base/equality.ts';
import { quote } from '../../../../../api/base/quote.ts';
import { nodes } from '../../../../../api/resources/core/v1/node.ts';
import { domainOfLabel, isWithinDomains, mayKubeletSet } from '../../../../../api/semantics/nodes/kubelet-labels.ts';
import type { AdmissionRequest } from '../../admission.ts';
import { isResource, newObject, oldObject } from '../../admission-request.ts';

const restrictedDomain = 'node-restriction.kubernetes.io';

export function restrictNode(request: AdmissionRequest, nodeName: string): string | undefined {
  const node = quote(nodeName);
  const name = request.operation === 'CREATE' ? (request.object?.metadata.name ?? '') : request.name;
  if (name !== nodeName) return `node ${node} is not allowed to modify node ${quote(name)}`;
  const object = newObject(request, nodes, request.subresource);
  if (request.operation === 'CREATE') {
    if (object?.spec?.configSource) return `node ${node} is not allowed to create pods with a non-nil configSource`;
    const refused = refusedLabels(object?.metadata.labels, {});
    return refused === '' ? undefined : `node ${node} is not allowed to set the following labels: ${refused}`;
  }
  if (request.operation !== 'UPDATE' || !isResource(request, nodes)) return undefined;
  const old = oldObject(request, nodes);
  if (object?.spec?.configSource && !isSemanticallyEqual(object.spec.configSource, old?.spec?.configSource)) {
    return `node ${node} is not allowed to update configSource to a new non-nil configSource`;
  }
  if (!isSemanticallyEqual(object?.spec?.taints, old?.spec?.taints)) return `node ${node} is not allowed to modify taints`;
  const refused = refusedLabels(object?.metadata.labels, old?.metadata.labels);
  if (refused !== '') return `is not allowed to modify labels: ${refused}`;
  if (!isSemanticallyEqual(object?.metadata.ownerReferences, old?.metadata.ownerReferences))
    return `node ${node} is not allowed to modify ownerReferences`;
  return undefined;
}

type Labels = Readonly<Record<string, string>> | undefined;

/** Labels that differ and that a node may not decide itself: by them it could draw privileged workloads to it. */
function refusedLabels(labels: Labels, old: Labels): string {
  const changed = [...new Set([...Object.keys(labels ?? {}), ...Object.keys(old ?? {})])].filter((key) => labels?.[key] !== old?.[key]);
  return changed.filter(isRefused).sort().join(', ');
}

function isRefused(label: string): boolean {
  return isWithinDomains(domainOfLabel(label), [restrictedDomain]) || !mayKubeletSet(label);
}
