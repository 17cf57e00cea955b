/** The services as a document for machines (OpenRPC), made from the table that validates requests. */

import { z } from 'zod';
import { REFUSALS } from '../call/csta/refusal.ts';
import { CLOSE } from './hub.ts';
import { NOTICES } from './notices.ts';
import { SERVICES, type Service } from './services.ts';

type Schema = { readonly [key: string]: unknown };

function schemaOf(type: z.ZodType): Schema {
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io: 'input' });
  return schema;
}

function paramsOf(type: z.ZodObject): readonly object[] {
  const { properties = {}, required = [] } = schemaOf(type) as {
    readonly properties?: { readonly [name: string]: Schema };
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    required: required.includes(name),
    schema,
  }));
}

function methodOf([name, service]: readonly [string, Service]): object {
  return {
    name,
    summary: service.about,
    paramStructure: 'by-name',
    params: paramsOf(service.params),
    result: { name: 'result', schema: schemaOf(service.result) },
    'x-roles': service.roles,
    'x-own-device': service.roles.includes('own-device') ? service.acts : [],
    'x-done-once': service.kind === 'write',
  };
}

/** The whole document, as a plain object. */
export function openRpc(release: string): object {
  return {
    openrpc: '1.3.2',
    info: {
      title: 'sipair for programs',
      version: release,
      description:
        'JSON-RPC 2.0 over WebSocket, at the own address of each box. Names are those of CSTA phase III (ECMA-269).',
    },
    methods: Object.entries(SERVICES).map(methodOf),
    'x-notifications': Object.entries(NOTICES).map(([name, { about, params }]) => ({
      name,
      summary: about,
      params: schemaOf(params),
    })),
    'x-refusals': REFUSALS,
    'x-close-codes': CLOSE,
  };
}

/** The file `docs/cti.openrpc.json`. */
export function openRpcText(release: string): string {
  return `${JSON.stringify(openRpc(release), null, 2)}\n`;
}
