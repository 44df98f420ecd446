<?php
/*
 * An exam's server that signs for SecureProctor. PHP itself is all that it needs.
 *
 *     PROCTOR_PUBLIC_KEY=my-exam PROCTOR_PRIVATE_KEY=a-secret php -S 127.0.0.1:8000 server.php
 *
 * It serves the exam page at http://127.0.0.1:8000/ and signs what the page hands to the agent: `POST /sign/init` and
 * `POST /sign/report`, by the scheme `?scheme=body` or `?scheme=parameters`. The page says nothing about who the candidate
 * is: the server knows. `GET /questions` is for a locked exam only: the service judges the attestation of each request.
 */

declare(strict_types=1);

define('SERVICE', getenv('PROCTOR_SERVICE') ?: 'http://127.0.0.1:8400');
define('PUBLIC_KEY', required('PROCTOR_PUBLIC_KEY'));
define('PRIVATE_KEY', required('PROCTOR_PRIVATE_KEY'));
// How the candidates' browsers spell this server. Never take it from a request: whoever sends it can write what they want.
define('ADDRESS', getenv('EXAM_ADDRESS') ?: "http://127.0.0.1:{$_SERVER['SERVER_PORT']}");

function required(string $name): string
{
    return getenv($name) ?: throw new RuntimeException("$name is not set.");
}

/** Who takes the exam. Yours comes from your log-in, and never from the page. */
function candidate(): array
{
    return [
        'userId' => 'candidate-1',
        'groupName' => 'physics-101',
        'name' => 'Eileen Collins',
        'email' => 'e@example.org',
    ];
}

/** The scheme of the Authorization header: the exact text is the password, the private key the salt. */
function sign_body(string $text): string
{
    return strtoupper(bin2hex(hash_pbkdf2('sha1', $text, PRIVATE_KEY, 1001, 25, true)));
}

/** The scheme of ak, ts and asgn: the values in the order of their names. */
function sign_parameters(string $method, string $endpoint, array $parameters): string
{
    return base64_encode(hash_hmac('sha256', "$method$endpoint\n" . joined($parameters), PRIVATE_KEY, true));
}

function joined(array $parameters): string
{
    ksort($parameters, SORT_STRING);
    return implode("\n", $parameters);
}

/** Who signs, and when. */
function stamped(): array
{
    return ['ak' => PUBLIC_KEY, 'ts' => (string) time()];
}

/** What the page gives to `proctor.init`. */
function init(string $scheme): array
{
    $who = candidate();
    $body = json_encode([
        'publicKey' => PUBLIC_KEY,
        'userId' => $who['userId'],
        'groupName' => $who['groupName'],
        'proctoringSettings' => ['screenCapture' => true, 'audioProctoring' => true, 'authorization' => true],
        'expiryTime' => 300,
        'userMetaData' => ['name' => $who['name'], 'email' => $who['email']],
    ]);
    if ($scheme === 'body') {
        return ['body' => $body, 'authorization' => sign_body($body)];
    }
    $query = stamped();
    $asgn = sign_parameters('POST', SERVICE . '/v1/init', $query + ['rd' => $body]);
    return ['body' => $body, 'query' => $query + ['asgn' => $asgn]];
}

/** What the page gives to `proctor.report`, or your server sends to `GET /v2/report/` by itself. */
function report(string $scheme, string $format): array
{
    $who = candidate();
    $query = [
        'groupName' => $who['groupName'],
        'publicKey' => PUBLIC_KEY,
        'reportFormat' => $format,
        'userId' => $who['userId'],
    ];
    if ($scheme === 'body') {
        return ['query' => $query, 'authorization' => sign_body(joined($query))];
    }
    $query += stamped();
    return ['query' => $query + ['asgn' => sign_parameters('GET', SERVICE . '/v2/report/', $query)]];
}

/** What the service says of a request's header SecureProctor-Attestation: `ok`, and else `verdict` and `reason`. */
function verified(string $attestation, string $path): array
{
    $who = candidate();
    $body = json_encode([
        'publicKey' => PUBLIC_KEY,
        'token' => $attestation,
        'url' => ADDRESS . $path,
        'userId' => $who['userId'],
        'groupName' => $who['groupName'],
    ]);
    $headers = ['Content-Type: application/json', 'Authorization: ' . sign_body($body)];
    $request = ['method' => 'POST', 'header' => $headers, 'content' => $body, 'timeout' => 10];
    $answer = @file_get_contents(SERVICE . '/v1/attestations/verify', false, stream_context_create(['http' => $request]));
    return $answer === false ? throw new RuntimeException('The service cannot be asked.') : json_decode($answer, true)['data'];
}

function questions(): void
{
    try {
        $judged = verified($_SERVER['HTTP_SECUREPROCTOR_ATTESTATION'] ?? '', $_SERVER['REQUEST_URI']);
    } catch (RuntimeException $error) {
        // the candidate is to try again, and sees nothing meanwhile
        error_log($error->getMessage());
        http_response_code(503);
        return;
    }
    http_response_code($judged['ok'] ? 200 : 403);
    $told = $judged['ok'] ? ['questions' => ['Why is the sky blue?']] : ['reason' => $judged['reason']];
    answer('application/json', json_encode($told));
}

function answer(string $kind, string $text): void
{
    header("Content-Type: $kind");
    header('Cache-Control: no-store');
    echo $text;
}

$scheme = $_GET['scheme'] ?? 'body';
$format = $_GET['format'] ?? 'url';

match ($_SERVER['REQUEST_METHOD'] . ' ' . parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH)) {
    'GET /' => answer(
        'text/html; charset=utf-8',
        str_replace('{{service}}', SERVICE, file_get_contents(__DIR__ . '/../exam.html')),
    ),
    'GET /questions' => questions(),
    'POST /sign/init' => answer('application/json', json_encode(init($scheme))),
    'POST /sign/report' => answer('application/json', json_encode(report($scheme, $format))),
    default => http_response_code(404),
};
