import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';

/** Server and client of the network tests, run as a program inside a network namespace. */
const [mode, ...args] = process.argv.slice(2);
if (mode === 'serve') serve(args[0] ?? '', Number(args[1]), args[2] ?? '');
else process.stdout.write(JSON.stringify(await askOften(args)));

function serve(name: string, port: number, address: string): void {
  const udp = createSocket(familyOf(address));
  udp.on('message', (_message, { address: client, port: from }) => udp.send(`${name} ${client.replace('::ffff:', '')}`, from, client));
  udp.bind(port, address, () => {
    createServer((socket) => {
      socket.on('error', () => {});
      socket.end(`${name} ${socket.remoteAddress?.replace('::ffff:', '')}`);
    }).listen(port, address, () => process.stdout.write('ready\n'));
  });
}

async function askOften([protocol, address = '', port, count, localPort, timeoutMs]: readonly string[]): Promise<Record<string, number>> {
  const answers: Record<string, number> = {};
  for (let index = 0; index < Number(count); index++) {
    const answer = await (protocol === 'udp'
      ? askUDP(address, Number(port), Number(localPort))
      : askTCP(address, Number(port), Number(timeoutMs)));
    answers[answer] = (answers[answer] ?? 0) + 1;
  }
  return answers;
}

function askTCP(address: string, port: number, timeoutMs: number): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, address);
    const timer = setTimeout(() => socket.destroy(Object.assign(new Error(), { code: 'timeout' })), timeoutMs);
    const end = (text: string) => {
      clearTimeout(timer);
      resolve(text);
    };
    socket.on('data', (data) => {
      answer += data.toString();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    socket.on('close', () => end(answer));
  });
}

function askUDP(address: string, port: number, localPort: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket(familyOf(address));
    const end = (text: string) => {
      clearTimeout(timer);
      socket.close();
      resolve(text);
    };
    const timer = setTimeout(() => end('timeout'), 2000);
    socket.on('message', (message) => end(message.toString()));
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    socket.bind(localPort, () => socket.connect(port, address, () => socket.send('?')));
  });
}

function familyOf(address: string): 'udp4' | 'udp6' {
  return address.includes(':') ? 'udp6' : 'udp4';
}
