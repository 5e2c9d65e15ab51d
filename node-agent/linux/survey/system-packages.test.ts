import assert from 'node:assert/strict';
import { installCommand, packageManagerOf, parseRelease, systemPackages, unknownPackagesRemedy } from './system-packages.mjs';

describe('packages of distributions', () => {
  const names = ['containernetworking-plugins', 'conntrack', 'catatonit'];
  const cases = [
    ['ID=debian\nVERSION_ID="13"', 'apt-get install -y --no-install-recommends containernetworking-plugins conntrack catatonit'],
    ['ID=linuxmint\nID_LIKE="ubuntu debian"', 'apt-get install -y --no-install-recommends containernetworking-plugins conntrack catatonit'],
    ['ID="rocky"\nID_LIKE="rhel centos fedora"', 'dnf install -y containernetworking-plugins conntrack-tools catatonit'],
    ['ID="opensuse-leap"\nID_LIKE="suse opensuse"', 'zypper install -y cni-plugins conntrack-tools catatonit'],
    ["ID='arch'", 'pacman -S --needed cni-plugins conntrack-tools catatonit'],
    ['', "install containernetworking-plugins, conntrack, catatonit (names of Debian) with the distribution's package manager"],
  ] as const;
  for (const [release, expected] of cases)
    it(release || 'unknown', () => assert.equal(installCommand(parseRelease(release), names), expected));

  it('reads what os-release has', () => {
    const release = parseRelease('NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\n#x\n');
    assert.deepEqual(release, { NAME: 'Ubuntu', ID: 'ubuntu', ID_LIKE: 'debian', VERSION_ID: '24.04' });
    assert.equal(packageManagerOf(release), 'apt');
    assert.match(unknownPackagesRemedy(release, ['catatonit']), /add-apt-repository -y universe/);
  });

  it("takes docker's runc for one", () => {
    const runc = systemPackages.find(({ apt }) => apt === 'runc');
    assert.ok(runc?.files.includes('/usr/bin/runc'));
  });
});
