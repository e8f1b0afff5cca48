// axios with a token that Keepfresh keeps fresh. A 401 is reported once, and the call repeated with another token.
// When nothing is fresh, Keepfresh answers with an error, and the call rejects instead of being made.
import axios from "axios";

const base = process.env.KEEPFRESH_URL ?? "http://127.0.0.1:7420";

export function keepfresh(client, connection, { key = process.env.KEEPFRESH_KEY, minTtl = 60 } = {}) {
  const baseURL = `${base}/api/v1/connections/${connection.replace("/", "~")}/`;
  const own = axios.create({ baseURL, headers: { authorization: `Bearer ${key}` }, timeout: 60_000 });

  // Not the error of axios, which has the key in it.
  const ask = (path, options) =>
    own(path, options).catch(({ response, message }) => {
      const said = response?.data;
      throw new Error(said?.code ? `${said.code}: ${said.detail}` : message);
    });

  client.interceptors.request.use(async (config) => {
    const token = config.keepfresh ?? (await ask("token", { params: { min_ttl: minTtl } })).data;
    config.headers.set("Authorization", `${token.token_type} ${token.token}`);
    config.generation = token.generation;
    return config;
  });

  // A body that is a stream can be sent once; such a call gets the 401 as it is.
  client.interceptors.response.use(undefined, async (error) => {
    const { config, response } = error;
    if (response?.status !== 401 || config.keepfresh || config.data?.pipe) throw error;
    const data = { generation: config.generation };
    const other = await ask("rejected", { method: "post", data });
    return client({ ...config, keepfresh: other.data });
  });
  return client;
}
