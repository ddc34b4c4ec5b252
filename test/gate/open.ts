/** A gate over a fixture for one test, both closed when it ends. */
import { request as httpRequest } from "node:http";
import { onTestFinished } from "vitest";
import { type Product, product, type ProductOptions } from "../kit/app.ts";
import { type Fixture, type FixtureOptions, startFixture } from "../kit/fixture.ts";
import { type HttpAnswer, send } from "../kit/http.ts";
import { MOMENT } from "../kit/stage.ts";

type GateOptions = NonNullable<Parameters<Product["gate"]>[0]>;
type Gate = Awaited<ReturnType<Product["gate"]>>;

export type Opened = {
  readonly fixture: Fixture;
  readonly product: Product;
  readonly gate: Gate;
  /** Where the gate really listens, with trailing slash. */
  readonly base: string;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<HttpAnswer>;
};

export async function openFixture(options: Partial<FixtureOptions> = {}): Promise<Fixture> {
  const fixture = await startFixture({ packages: ["axios", "cases"], at: MOMENT, ...options });
  onTestFinished(() => fixture.stop());
  return fixture;
}

export async function openProduct(options: ProductOptions): Promise<Product> {
  const opened = await product(options);
  onTestFinished(() => opened.stop());
  return opened;
}

export async function openGate({
  gate: gateOptions,
  fixture: fixtureOptions,
  ...options
}: Omit<ProductOptions, "fixture"> & { readonly gate?: GateOptions; readonly fixture?: Partial<FixtureOptions> } = {}): Promise<Opened> {
  const fixture = await openFixture(fixtureOptions);
  const opened = await openProduct({ fixture, ...options });
  const gate = await opened.gate(gateOptions);
  const base = baseOf(gate);
  return { fixture, product: opened, gate, base, get: (path, headers = {}) => send(base, { method: "GET", path, headers }) };
}

export function baseOf({ at }: Gate): string {
  return `http://${at.host}:${at.port}/`;
}

/** What came before the connection broke or the answer ended. */
export type Received = { readonly status: number; readonly bytes: number; readonly whole: boolean; readonly body: Buffer };

/** Reads an answer however it ends. */
export function receive(base: string, path: string): Promise<Received> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const asked = httpRequest({ hostname, port, path, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", () => undefined);
      response.on("close", () => {
        const body = Buffer.concat(chunks);
        resolve({ status: response.statusCode ?? 0, bytes: body.byteLength, whole: response.complete, body });
      });
    });
    asked.on("error", reject);
    asked.end();
  });
}
