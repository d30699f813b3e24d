import { z } from 'zod';
import { changeAtOnce } from '../auth/changeAtOnce.ts';
import { parsePage, toConnection } from '../graphql/connection.ts';
import { instant, parseInput, parseTogether } from '../graphql/input.ts';
import type { Resolvers } from '../graphql/types.generated.ts';
import { parseBatch, telemetryInput, telemetryRange } from './input.ts';
import * as telemetry from './repository.ts';

const timestampMs = z.int().refine((ms) => instant.safeParse(new Date(ms)).success);

export const telemetryResolvers = {
  Query: {
    telemetry: async (_parent, { agentId, from, to, ...args }, ctx) => {
      const [range, page] = parseTogether(
        () => parseInput(telemetryRange, { from, to }),
        () => parsePage(args, z.tuple([z.literal(agentId), timestampMs])),
      );
      const readings = await telemetry.list(ctx.db, agentId, { from: range.from ?? null, to: range.to ?? null }, page);
      return toConnection(readings, page, (reading) => [reading.agentId, reading.timestamp.getTime()]);
    },
  },
  Mutation: {
    submitTelemetry: async (_parent, args, ctx) => {
      const reading = parseInput(telemetryInput, args.input, 'input');
      return { telemetry: await changeAtOnce(ctx, (db, basis) => telemetry.insertOne(db, reading, basis)) };
    },
    submitTelemetryBatch: async (_parent, { inputs }, ctx) => {
      const { readings, rejected } = parseBatch(inputs);
      const accepted =
        readings.length === 0 ? 0 : await changeAtOnce(ctx, (db, basis) => telemetry.insert(db, readings, basis));
      return { accepted, duplicates: readings.length - accepted, rejected };
    },
  },
} satisfies Resolvers;
