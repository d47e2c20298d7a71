<?php

// Who can sign in: `name:password`, with their attributes, as the test has written them down.

$config = [
    'people' => ['exampleauth:UserPass']
        + json_decode(file_get_contents(getenv('IDP_FOLDER') . '/settings.json'), true)['people'],
];
