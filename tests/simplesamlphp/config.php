<?php

// SimpleSAMLphp as the sign-on tests start it: an identity provider and nothing else. What is a
// test's own lies in the folder that the environment names, and is read at every request.

$folder = getenv('IDP_FOLDER');

$config = [
    'baseurlpath' => '/',
    'certdir' => "$folder/cert/",
    'datadir' => "$folder/data/",
    'loggingdir' => "$folder/log/",
    'metadatadir' => __DIR__ . '/metadata/',
    'tempdir' => "$folder/temp",
    'attributenamemapdir' => getenv('IDP_ATTRIBUTE_MAPS') . '/',
    'timezone' => 'UTC',

    'secretsalt' => 'of no use to anybody but a test',
    'auth.adminpassword' => bin2hex(random_bytes(16)),
    'admin.protectindexpage' => true,
    'admin.checkforupdates' => false,
    'trusted.url.domains' => ['portal.example'],

    // Onto the page and into the file of the process, both of which the test shows when it fails.
    'showerrors' => true,
    'errorreporting' => false,
    'logging.handler' => 'errorlog',
    'logging.level' => SimpleSAML\Logger::NOTICE,

    'enable.saml20-idp' => true,
    'module.enable' => ['core' => true, 'exampleauth' => true, 'saml' => true],

    // Plain http on the loopback.
    'session.cookie.secure' => false,
    'session.cookie.samesite' => null,
    'language.cookie.secure' => false,
    'language.cookie.samesite' => null,

    'store.type' => 'phpsession',
    'session.phpsession.savepath' => "$folder/sessions",

    'metadata.sources' => [['type' => 'flatfile']],
];

// What our server publishes of itself, once there is something: it wants to know whom to trust first.
if (is_file("$folder/rollcall.xml")) {
    $config['metadata.sources'][] = ['type' => 'xml', 'file' => "$folder/rollcall.xml"];
}
