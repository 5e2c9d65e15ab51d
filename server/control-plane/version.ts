import packageJSON from '../../package.json' with { type: 'json' };

/** Version of kubets itself. */
export const kubetsVersion: string = packageJSON.version;

/** The Kubernetes release whose API is served. */
export const kubernetesVersion = { major: '1', minor: '36', gitVersion: `v1.36.0+kubets-${packageJSON.version}` } as const;
