"use strict";
{% include "player.js" %}
{% include "saving.js" %}
for (const box of document.querySelectorAll(".clip")) attach(box);
{% if explorer %}
{% include "explorer.js" %}
{% endif %}
