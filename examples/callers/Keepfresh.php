<?php
// A token that Keepfresh keeps fresh, for app/Services of a Laravel application or any other PHP with curl. A 401 is reported
// once, and the call repeated with another token. When nothing is fresh, it throws and the call is not made.
namespace App\Services;

class Keepfresh
{
    public function __construct(private string $connection, private string $key, private string $url = 'http://127.0.0.1:7420') {}

    /** What to present: `token`, `token_type`, and the `generation` to report when the provider rejects it. */
    public function token(int $minTtl = 60): array { return $this->ask('GET', "token?min_ttl=$minTtl"); }

    /** Calls the provider with the token in place; gives the status and the body. */
    public function send(string $method, string $url, array $headers = [], ?string $body = null): array
    {
        $token = $this->token();
        $present = fn ($it) => [...$headers, "Authorization: {$it['token_type']} {$it['token']}"];
        $answer = $this->call($method, $url, $present($token), $body);
        if ($answer['status'] !== 401) return $answer;
        $other = $this->ask('POST', 'rejected', json_encode(['generation' => $token['generation']]));
        return $this->call($method, $url, $present($other), $body);
    }

    private function ask(string $method, string $path, ?string $body = null): array
    {
        $url = "$this->url/api/v1/connections/" . str_replace('/', '~', $this->connection) . "/$path";
        $answer = $this->call($method, $url, ["Authorization: Bearer $this->key", 'Content-Type: application/json'], $body);
        $said = json_decode($answer['body'], true, flags: JSON_THROW_ON_ERROR);
        return $answer['status'] < 400 ? $said : throw new \RuntimeException("{$said['code']}: {$said['detail']}");
    }

    private function call(string $method, string $url, array $headers, ?string $body): array
    {
        $curl = curl_init($url);
        $all = [CURLOPT_CUSTOMREQUEST => $method, CURLOPT_HTTPHEADER => $headers, CURLOPT_POSTFIELDS => $body];
        curl_setopt_array($curl, array_filter($all, fn ($it) => $it !== null) + [CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 60]);
        if (($text = curl_exec($curl)) === false) throw new \RuntimeException(curl_error($curl));
        return ['status' => curl_getinfo($curl, CURLINFO_RESPONSE_CODE), 'body' => $text];
    }
}
