import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { addDirectory, addFromMachine, addText, type ImageConfig, type Tree, writeArchive } from './archive.ts';

/** An image of programs from this machine's distribution packages. */
interface Recipe {
  readonly name: string;
  readonly reference: string;
  readonly needs: readonly string[];
  build(): { tree: Tree; config: ImageConfig };
}

const passwd =
  'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\nwww-data:x:33:33:www-data:/var/www:/sbin/nologin\nredis:x:999:999:redis:/data:/sbin/nologin\n';
const group = 'root:x:0:\nadm:x:4:\nnogroup:x:65534:\nwww-data:x:33:\nredis:x:999:\n';

/** A program with the shared libraries it is linked to, and the loader. */
function addProgram(tree: Tree, program: string): void {
  addFromMachine(tree, program);
  const libraries = execFileSync('ldd', [program], { encoding: 'utf8' });
  for (const match of libraries.matchAll(/(?:=> )?(\/[^\s]+) \(0x/g)) if (match[1]) addFromMachine(tree, match[1]);
}

/** Busybox under all its names, users, and /tmp: the base of the small images. */
function baseTree(): Tree {
  const tree: Tree = new Map();
  for (const directory of ['dev', 'etc', 'proc', 'root', 'run', 'sys', 'home', 'usr/bin', 'usr/sbin', 'var/lib', 'var/log', 'var/run'])
    addDirectory(tree, directory);
  addDirectory(tree, 'tmp', 0o1777);
  for (const link of ['bin', 'sbin', 'lib', 'lib64']) tree.set(link, { kind: 'link', target: `usr/${link}` });
  addDirectory(tree, 'usr/lib');
  addDirectory(tree, 'usr/lib64');
  addFromMachine(tree, '/usr/bin/busybox');
  for (const applet of execFileSync('/usr/bin/busybox', ['--list'], { encoding: 'utf8' }).split('\n')) {
    if (applet !== '' && applet !== 'busybox') tree.set(`usr/bin/${applet}`, { kind: 'link', target: 'busybox' });
  }
  addText(tree, 'etc/passwd', passwd);
  addText(tree, 'etc/group', group);
  addText(tree, 'etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n');
  return tree;
}

/** The directory of an architecture's libraries in Debian, and the loader of its programs. */
const libraries = {
  x64: { folder: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { folder: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
} as const;

/** glibc loads these by name only when names are looked up, also in a static program, so ldd does not show them. */
function addResolverLibraries(tree: Tree): void {
  const { folder, loader } = libraries[process.arch === 'arm64' ? 'arm64' : 'x64'];
  for (const name of ['libnss_files.so.2', 'libnss_dns.so.2', 'libresolv.so.2', 'libc.so.6', loader]) {
    const file = `/usr/lib/${folder}/${name}`;
    if (existsSync(file)) addFromMachine(tree, file);
  }
}

const nginxConfig = `user root;
worker_processes 1;
pid /tmp/nginx.pid;
error_log /dev/stderr notice;
events { worker_connections 512; }
http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  access_log /dev/stdout;
  client_body_temp_path /tmp/nginx-body;
  proxy_temp_path /tmp/nginx-proxy;
  fastcgi_temp_path /tmp/nginx-fastcgi;
  uwsgi_temp_path /tmp/nginx-uwsgi;
  scgi_temp_path /tmp/nginx-scgi;
  include /etc/nginx/conf.d/*.conf;
}
`;
const nginxSite = 'server {\n  listen 80;\n  location / { root /usr/share/nginx/html; index index.html; }\n}\n';

const recipes: readonly Recipe[] = [
  {
    name: 'busybox',
    reference: 'docker.io/library/busybox:1.37',
    needs: ['/usr/bin/busybox'],
    build() {
      const tree = baseTree();
      addResolverLibraries(tree);
      return { tree, config: { Cmd: ['sh'] } };
    },
  },
  {
    name: 'nginx',
    reference: 'docker.io/library/nginx:1.26',
    needs: ['/usr/bin/busybox', '/usr/sbin/nginx'],
    build() {
      const tree = baseTree();
      addProgram(tree, '/usr/sbin/nginx');
      addResolverLibraries(tree);
      addFromMachine(tree, '/etc/nginx/mime.types');
      addText(tree, 'etc/nginx/nginx.conf', nginxConfig);
      addText(tree, 'etc/nginx/conf.d/default.conf', nginxSite);
      addText(
        tree,
        'usr/share/nginx/html/index.html',
        '<!DOCTYPE html>\n<html><head><title>Welcome to nginx!</title></head><body><h1>Welcome to nginx!</h1></body></html>\n',
      );
      addDirectory(tree, 'var/log/nginx');
      addDirectory(tree, 'var/lib/nginx');
      return { tree, config: { Cmd: ['nginx', '-g', 'daemon off;'], ExposedPorts: { '80/tcp': {} } } };
    },
  },
  {
    name: 'redis',
    reference: 'docker.io/library/redis:8.0',
    needs: ['/usr/bin/busybox', '/usr/bin/redis-server', '/usr/bin/redis-cli'],
    build() {
      const tree = baseTree();
      addProgram(tree, '/usr/bin/redis-server');
      addProgram(tree, '/usr/bin/redis-cli');
      addResolverLibraries(tree);
      addDirectory(tree, 'data', 0o777);
      return {
        tree,
        config: {
          Cmd: ['redis-server', '--protected-mode', 'no', '--dir', '/data'],
          WorkingDir: '/data',
          ExposedPorts: { '6379/tcp': {} },
        },
      };
    },
  },
];

/** Builds every image into `directory` and returns the archives' paths. */
export async function buildImages(directory: string): Promise<string[]> {
  mkdirSync(directory, { recursive: true });
  const archives: string[] = [];
  for (const { name, reference, needs, build } of recipes) {
    const missing = needs.filter((file) => !existsSync(file));
    if (missing.length > 0)
      throw new Error(
        `the image ${reference} is made of ${missing.join(', ')}, which this machine does not have; 'npm test' installs them`,
      );
    const file = path.join(directory, `${name}.tar`);
    const { tree, config } = build();
    await writeArchive(file, reference, tree, config);
    archives.push(file);
  }
  return archives;
}

if (process.argv[1] === import.meta.filename) {
  const directory = process.argv[2] ?? path.join(import.meta.dirname, 'build');
  for (const archive of await buildImages(directory)) console.log(archive);
}
