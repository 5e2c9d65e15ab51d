/** Images that tests use: small, of programs everyone has, and built locally from distribution packages where there is no registry. */
export const testImages = {
  busybox: 'busybox:1.37',
  nginx: 'nginx:1.26',
  redis: 'redis:8.0',
} as const;
