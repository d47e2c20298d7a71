<?php

// The identity provider. What SimpleSAMLphp does by default is left as it is: response and assertion
// are signed, both with SHA-256. Logout messages it signs only when told to; the profile wants that
// (SAML profiles, section 4.4.4), and so do we.

$settings = json_decode(file_get_contents(getenv('IDP_FOLDER') . '/settings.json'), true);

$metadata['__DYNAMIC:1__'] = [
    'host' => '__DEFAULT__',
    'auth' => 'people',

    'privatekey' => $settings['key'] . '.pem',
    'certificate' => $settings['key'] . '.crt',

    'assertion.encryption' => $settings['encrypt'],
    'sign.logout' => true,
    'validate.logout' => true,

    // Claims with the names that Entra gives them, where the map that comes with it knows them.
    'authproc' => [
        10 => [
            'class' => 'core:AttributeMap',
            'name2claim',
            'objectId' => 'http://schemas.microsoft.com/identity/claims/objectidentifier',
        ],
    ],
    'attributes.NameFormat' => 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri',
    'simplesaml.nameidattribute' => 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name',
];

// A key that will sign later is announced first.
if ($settings['next_key'] !== null) {
    $metadata['__DYNAMIC:1__'] += [
        'new_privatekey' => $settings['next_key'] . '.pem',
        'new_certificate' => $settings['next_key'] . '.crt',
    ];
}
