import { connect, createServer } from 'node:net';

/** Services, each with its own backends. */
export const serviceCount = 24;
export const backendsPerService = 6;

export function backendAddress(service: number, backend: number): string {
  return `10.244.0.${32 + service * backendsPerService + backend}`;
}

export function frontOf(service: number): { readonly clusterIP: string; readonly nodePort: number } {
  return { clusterIP: `10.96.0.${10 + service}`, nodePort: 30_000 + service };
}

const connectionsAtOnce = 16;

/** Every address answers with its Service. */
function serve(): void {
  const serviceOf = (address = '') => Math.floor((Number(address.split('.')[3]) - 32) / backendsPerService);
  createServer((socket) => {
    socket.on('error', () => {});
    socket.end(`s${serviceOf(socket.localAddress)}`);
  }).listen(8080, '0.0.0.0', () => process.stdout.write('ready\n'));
}

/** Connects to all Services in turn, at both addresses, and prints the results for each line on standard input. */
function ask(): void {
  const answers = { right: 0, wrong: 0, refused: 0 };
  let turn = 0;
  const once = () => {
    const service = turn++ % serviceCount;
    const { clusterIP, nodePort } = frontOf(service);
    const socket = turn % 2 === 0 ? connect(80, clusterIP) : connect(nodePort, '10.200.0.1');
    let answer = '';
    socket.setTimeout(1000, () => socket.destroy());
    socket.on('data', (data) => (answer += data.toString()));
    socket.on('error', () => {});
    socket.on('close', () => {
      answers[answer === '' ? 'refused' : answer === `s${service}` ? 'right' : 'wrong']++;
      once();
    });
  };
  for (let index = 0; index < connectionsAtOnce; index++) once();
  process.stdin.on('data', () => process.stdout.write(`${JSON.stringify(answers)}\n`));
}

/** The program: `serve` or `ask`. */
if (import.meta.main) {
  if (process.argv[2] === 'serve') serve();
  else ask();
}
