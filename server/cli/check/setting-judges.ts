import type { CheckFacts, SettingsFacts, TLSFacts } from './check-facts.ts';
import { notApplicable, notJudged, pass, type Verdict, warn } from './check-item.ts';

/** Judges a control by the flags of the control plane, where they are known. */
export function bySettings(judge: (settings: SettingsFacts, facts: CheckFacts) => Verdict): (facts: CheckFacts) => Verdict {
  return (facts) => {
    if (!facts.hasControlPlane) return notApplicable('this data directory has no control plane');
    if (facts.settings.source === 'unknown')
      return notJudged('no control plane runs on this data directory, and no service is installed for it', 'start kubets and check again');
    return judge(facts.settings, facts);
  };
}

/** A flag as a text; undefined where it was not given and has no default. */
export function textOf({ values }: SettingsFacts, name: string): string | undefined {
  const value = values[name];
  return value === undefined || value === null || value === '' ? undefined : String(value);
}

export function sourceText({ source }: SettingsFacts): string {
  return source === 'process' ? 'flags of the running process' : 'flags in the unit of the service';
}

export function judgeTLS(tls: TLSFacts | undefined, what: string, advice: string): Verdict {
  if (!tls) return notJudged(`${what} did not answer`, 'start it and check again');
  const weak = [...tls.oldVersions, ...tls.weakCiphers];
  const why = `${what} refused handshakes of TLS before 1.2, and with ciphers without forward secrecy or with 3DES and RC4`;
  return weak.length === 0 ? pass(why) : warn(`${what} takes weak protocols or ciphers`, advice, { evidence: weak });
}
