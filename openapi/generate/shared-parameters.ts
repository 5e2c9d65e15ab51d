type JSONObject = Readonly<Record<string, unknown>>;

/** The order in which Go writes the fields of a parameter: the names of shared parameters are hashes of that text. */
const fieldOrder = ['uniqueItems', 'type', 'description', 'name', 'in', 'required', 'schema'];

/** Stay where they are used, since clients look for them there to learn what a server can do. */
const neverShared = new Set(['dryRun', 'fieldValidation', 'name']);

const isObject = (value: unknown): value is JSONObject => typeof value === 'object' && value !== null && !Array.isArray(value);

function isShared({ in: where, name, schema }: JSONObject): boolean {
  if (where !== 'body') return !neverShared.has(String(name));
  return isObject(schema) && String(schema['$ref']).startsWith('#/definitions/io.k8s.apimachinery');
}

/** FNV-1 with 64 bits, the first six bytes of it in base64 for URLs. */
function hashOf(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, hash * 0x100000001b3n) ^ BigInt(byte);
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(hash);
  return bytes.toString('base64', 0, 6).replaceAll('+', '-').replaceAll('/', '_');
}

/**
 * Moves what many operations have in common of the paths of a version 2 document to its `parameters`, where each is
 * called by its name and a hash of itself.
 */
export function shareParameters(paths: JSONObject): { readonly paths: JSONObject; readonly parameters: JSONObject } {
  const shared = new Map<string, JSONObject>();
  const replaced = (parameter: unknown): unknown => {
    if (!isObject(parameter) || !isShared(parameter)) return parameter;
    const written = JSON.stringify(Object.fromEntries(fieldOrder.filter((key) => key in parameter).map((key) => [key, parameter[key]])));
    const name = `${String(parameter['name'])}-${hashOf(written)}`;
    shared.set(name, parameter);
    return { $ref: `#/parameters/${name}` };
  };
  const walk = (value: unknown): unknown => {
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, key === 'parameters' && Array.isArray(item) ? item.map(replaced) : walk(item)]),
    );
  };
  const shorter = Object.fromEntries(Object.entries(paths).map(([path, item]) => [path, walk(item)]));
  return { paths: shorter, parameters: Object.fromEntries([...shared].sort(([a], [b]) => (a < b ? -1 : 1))) };
}
