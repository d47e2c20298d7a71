// Uses the generated types: typed answers, pages by headers, problems as problems.
import createClient from "openapi-fetch";
import type { components, paths } from "./rollcall.js";

declare const process: { argv: string[] };

const [url, key, group] = process.argv.slice(2) as [string, string, string];
const client = createClient<paths>({
  baseUrl: url,
  headers: { Authorization: `Bearer ${key}` },
});
const must = (holds: boolean, what: unknown) => {
  if (!holds) throw new Error(JSON.stringify(what));
};

const organizations = await client.GET("/api/v1/organizations");
must(organizations.data?.length === 1, organizations.error);
must(organizations.data?.[0]?.domain === "acme", organizations.data);

const path = { organization: "acme" };
const positions: number[] = [];
let cursor: string | undefined;
do {
  const page = await client.GET("/api/v1/organizations/{organization}/events", {
    params: { path, query: { limit: 10, cursor } },
  });
  if (!page.data) throw new Error(JSON.stringify(page.error));
  positions.push(...page.data.map((event) => event.position));
  cursor = page.response.headers.get("next-cursor") ?? undefined;
} while (cursor !== undefined);
must(positions.length > 25 && positions.every((p, i) => p === i + 1), positions);

const shown = await client.GET("/api/v1/organizations/{organization}/groups/{id}", {
  params: { path: { ...path, id: group } },
});
must(shown.data?.as_of.position === positions.at(-1), shown);

for (const query of [{ limit: 0 }, { to: "2999-01-01" }]) {
  const refused = await client.GET("/api/v1/organizations/{organization}/events", {
    params: { path, query },
  });
  const problem: components["schemas"]["Problem"] | undefined = refused.error;
  must(refused.response.status === 400, refused.response.status);
  must(problem?.parameter === Object.keys(query)[0], problem);
}
const nowhere = await client.GET("/api/v1/organizations/{organization}/events", {
  params: { path: { organization: "nowhere" } },
});
must(nowhere.response.status === 404 && nowhere.error?.status === 404, nowhere.error);

// What the description does not have is refused by the compiler already.
// @ts-expect-error there is no such parameter
await client.GET("/api/v1/organizations", { params: { query: { as_of: 1 } } });
// @ts-expect-error there is no such path
await client.GET("/api/v1/organisations");
console.log("well");
