// `fetch` with a token that Keepfresh keeps fresh. A 401 is reported once, and the call repeated with another token.
// When nothing is fresh, Keepfresh answers with an error, and the call throws instead of being made.
const base = process.env.KEEPFRESH_URL ?? "http://127.0.0.1:7420";

export function keepfresh(connection, { key = process.env.KEEPFRESH_KEY, minTtl = 60 } = {}) {
  const url = `${base}/api/v1/connections/${connection.replace("/", "~")}`;
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };

  async function ask(path, options = {}) {
    const answer = await fetch(`${url}/${path}`, { headers, ...options });
    const body = await answer.json();
    if (!answer.ok) throw new Error(`${body.code}: ${body.detail}`);
    return body;
  }

  const present = (options, token) => {
    const own = new Headers(options.headers);
    own.set("authorization", `${token.token_type} ${token.token}`);
    return { ...options, headers: own };
  };

  // A body that is a stream can be sent once; such a call gets the 401 as it is.
  return async function call(resource, options = {}) {
    const token = await ask(`token?min_ttl=${minTtl}`);
    const answer = await fetch(resource, present(options, token));
    if (answer.status !== 401 || options.body instanceof ReadableStream) return answer;
    await answer.arrayBuffer();
    const body = JSON.stringify({ generation: token.generation });
    const other = await ask("rejected", { method: "POST", body });
    return fetch(resource, present(options, other));
  };
}
