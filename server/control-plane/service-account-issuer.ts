/** The issuer of service account tokens, which is also what they are for: the API server itself. */
export const serviceAccountIssuer = 'https://kubernetes.default.svc.cluster.local';
