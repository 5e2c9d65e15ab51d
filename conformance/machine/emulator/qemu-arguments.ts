import { hardwareAddresses } from '../image/recipe.ts';

export type Accelerator = 'kvm' | 'tcg';

export interface MachineSize {
  readonly processors: number;
  readonly memoryMiB: number;
}

export interface QEMUOptions {
  readonly accelerator: Accelerator;
  readonly size: MachineSize;
  readonly kernel: string;
  readonly initrd: string;
  /** Parameters of the kernel beside those of console and root. */
  readonly kernelParameters: readonly string[];
  /** A disk of format qcow2, which the machine writes to. */
  readonly disk: string;
  readonly consoleLog: string;
  /** The socket of QEMU's control protocol. */
  readonly controlSocket: string;
  /** Ports of the loopback interface here that lead to ports of the machine. */
  readonly forwardedPorts: readonly { readonly here: number; readonly there: number }[];
  /** The network between several machines: this machine's index in it, its UDP port and that of the switch. */
  readonly between?: { readonly index: number; readonly port: number; readonly switchPort: number };
}

/** Programs use the vector instructions of later processors, which are slower to emulate than other instructions. */
const emulatedProcessor = 'Nehalem-v1';
/** Switches off mitigations, which take a quarter of the emulated processor's time: it has no speculation to attack. */
const withoutMitigations = 'mitigations=off';

/** The arguments with which `qemu-system-x86_64` emulates a machine with a serial console, a disk and one or two networks. */
export function qemuArguments(options: QEMUOptions): string[] {
  const { accelerator, size, between } = options;
  const forwards = options.forwardedPorts.map(({ here, there }) => `,hostfwd=tcp:127.0.0.1:${here}-:${there}`);
  const managementAddress = between === undefined ? hardwareAddresses.only : hardwareAddresses.management;
  return [
    ...['-accel', accelerator === 'kvm' ? 'kvm' : 'tcg,thread=multi,tb-size=1024'],
    ...['-cpu', accelerator === 'kvm' ? 'host' : emulatedProcessor],
    ...['-smp', String(size.processors), '-m', String(size.memoryMiB)],
    ...['-nodefaults', '-no-user-config', '-display', 'none'],
    ...['-serial', `file:${options.consoleLog}`],
    ...['-qmp', `unix:${options.controlSocket},server=on,wait=off`],
    ...['-kernel', options.kernel, '-initrd', options.initrd],
    ...[
      '-append',
      [
        'console=ttyS0 root=/dev/vda rw net.ifnames=0',
        ...(accelerator === 'kvm' ? [] : [withoutMitigations]),
        ...options.kernelParameters,
      ].join(' '),
    ],
    ...['-drive', `file=${options.disk},if=virtio,format=qcow2,cache=unsafe,discard=unmap`],
    ...['-device', 'virtio-rng-pci'],
    // kubets announces the address of the first network.
    ...(between === undefined ? [] : networkBetween(between)),
    ...['-netdev', `user,id=management,restrict=on${forwards.join('')}`],
    ...['-device', `virtio-net-pci,netdev=management,mac=${managementAddress}`],
  ];
}

function networkBetween({ index, port, switchPort }: NonNullable<QEMUOptions['between']>): string[] {
  const end = (name: string, number: number) => `${name}.type=inet,${name}.host=127.0.0.1,${name}.port=${number}`;
  return [
    ...['-netdev', `dgram,id=between,${end('local', port)},${end('remote', switchPort)}`],
    ...['-device', `virtio-net-pci,netdev=between,mac=${hardwareAddresses.between(index)}`],
  ];
}
