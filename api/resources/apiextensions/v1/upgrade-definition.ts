import type { CustomResourceDefinition } from '../../../types/apiextensions-v1.ts';

type Spec = CustomResourceDefinition['spec'];
type Version = Spec['versions'][number];
type Column = NonNullable<Version['additionalPrinterColumns']>[number];
type Conversion = NonNullable<Spec['conversion']>;
type Webhook = NonNullable<Conversion['webhook']>;

/** The fields that v1beta1 could set once for all versions. */
interface Common {
  validation?: Version['schema'];
  subresources?: Version['subresources'];
  additionalPrinterColumns?: readonly OldColumn[];
  selectableFields?: Version['selectableFields'];
}

type OldColumn = Omit<Column, 'jsonPath'> & { JSONPath?: string };
type OldVersion = Omit<Version, 'additionalPrinterColumns'> & Pick<Common, 'additionalPrinterColumns'>;

interface OldConversion {
  strategy: string;
  webhookClientConfig?: Webhook['clientConfig'];
  conversionReviewVersions?: Webhook['conversionReviewVersions'];
}

type OldSpec = Omit<Spec, 'versions' | 'conversion'> &
  Common & { version?: string; versions?: readonly OldVersion[]; conversion?: OldConversion };

/**
 * The spec of a CustomResourceDefinition of apiextensions.k8s.io/v1beta1, the version in which upstream still stores them, converted to v1:
 * settings for all versions are copied to each version, and the conversion webhook becomes one field.
 */
export function upgradeDefinitionSpec(old: OldSpec): Spec {
  const { version, versions, validation, subresources, additionalPrinterColumns, selectableFields, conversion, ...rest } = old;
  // v1beta1 tells false from an unset field, v1 does not.
  const { preserveUnknownFields, ...spec } = rest;
  const named = versions && versions.length > 0 ? versions : version ? [{ name: version, served: true, storage: true }] : [];
  const common: Common = { ...drop({ subresources, additionalPrinterColumns, selectableFields }) };
  return {
    ...spec,
    ...(preserveUnknownFields ? { preserveUnknownFields } : {}),
    versions: named.map((each) => {
      const { additionalPrinterColumns: columns, ...own } = { ...common, ...drop({ schema: validation }), ...each };
      return { ...own, ...(columns ? { additionalPrinterColumns: columns.map(upgradeColumn) } : {}) } as Version;
    }),
    ...(conversion ? { conversion: upgradeConversion(conversion) } : {}),
  };
}

function upgradeColumn({ JSONPath, ...column }: OldColumn): Column {
  return { ...column, jsonPath: JSONPath ?? '' } as Column;
}

function upgradeConversion({ strategy, webhookClientConfig, conversionReviewVersions }: OldConversion): Conversion {
  const isWebhook = webhookClientConfig !== undefined || (conversionReviewVersions ?? []).length > 0;
  const webhook = drop({ clientConfig: webhookClientConfig, conversionReviewVersions }) as unknown as Webhook;
  return { strategy, ...(isWebhook ? { webhook } : {}) };
}

function drop<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null)) as never;
}
