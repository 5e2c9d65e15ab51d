import type { Server as TLSServer, SecureContext, SecureContextOptions } from 'node:tls';
import { createSecureContext } from 'node:tls';
import type { Socket } from 'node:net';
import { parseTLSSettings, type TLSSettings } from '../../api/base/tls-settings.ts';
import { type CertificateChoice, chooseCertificate, type NamedCertificate, type ServingCertificate } from './named-certificates.ts';

interface ServingContextOptions {
  readonly certificate: ServingCertificate;
  readonly named?: readonly NamedCertificate[];
  readonly tls?: TLSSettings;
  readonly clientCAsPEM: readonly string[];
}

/** Sessions are resumed whichever certificate they began with. */
const sessionIdContext = 'kubets';

/** The certificates and settings with which connections are served. */
export interface ServingContexts {
  /** The context for clients that send no server name. */
  current(): SecureContextOptions;
  /** Throws where a certificate or its key cannot be used; nothing has changed then. */
  change(certificate: ServingCertificate, change: Partial<Pick<ServingContextOptions, 'named' | 'clientCAsPEM'>>): void;
  /** TLS's SNICallback. */
  readonly findByName: (name: string, done: (error: Error | null, context?: SecureContext) => void) => void;
  /** Lets the server choose certificates by the address that a client has connected to. */
  chooseByAddress(server: TLSServer): void;
}

export function createServingContexts(options: ServingContextOptions): ServingContexts {
  let { certificate, named = [], clientCAsPEM } = options;
  const settings = options.tls ?? parseTLSSettings({});
  const optionsOf = ({ keyPEM, certificatePEM }: ServingCertificate): SecureContextOptions => ({
    ...settings,
    ...{ key: keyPEM, cert: certificatePEM, ca: [...clientCAsPEM], sessionIdContext },
  });
  const choose = () => chooseCertificate(certificate, named, (one) => createSecureContext(optionsOf(one)));
  let choice: CertificateChoice<SecureContext> = choose();
  return {
    current: () => optionsOf(certificate),
    change(changed, change) {
      const before = { certificate, named, clientCAsPEM };
      ({ certificate, named, clientCAsPEM } = { ...before, ...change, certificate: changed });
      try {
        choice = choose();
      } catch (error) {
        ({ certificate, named, clientCAsPEM } = before);
        throw error;
      }
    },
    findByName: (name, done) => done(null, choice.ofName(name)),
    chooseByAddress(server) {
      const [accept] = server.listeners('connection');
      if (accept === undefined) return;
      server.off('connection', accept as () => void);
      // A connection uses the context that the server has when it begins.
      const inner = server as unknown as { _sharedCreds: SecureContext };
      server.prependListener('connection', (socket: Socket) => {
        const usual = inner._sharedCreds;
        inner._sharedCreds = choice.ofAddress(socket.localAddress ?? '') ?? usual;
        try {
          accept.call(server, socket);
        } finally {
          inner._sharedCreds = usual;
        }
      });
    },
  };
}
