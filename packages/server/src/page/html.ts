/** A window on a plane. */
export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#0b57d0"/><rect x="5" y="5" width="6" height="6" fill="none" stroke="#fff" stroke-width="2"/></svg>`;

export const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>tlsc: restore a photo</title>
<link rel="icon" href="icon.svg">
<link rel="stylesheet" href="page.css">
<script type="module" src="page.js"></script>
</head>
<body>
<main>
<h1>Restore a photo</h1>
<form id="form">
<label class="drop" id="drop">
<span>Drop a photo here, or choose one</span>
<input type="file" id="file" accept="image/png,image/jpeg,image/webp,image/avif,image/tiff,image/gif">
</label>
<div class="controls">
<label>Model <select id="model" disabled></select></label>
<label id="with-original" hidden><input type="checkbox" id="original" checked> also by the original, with global statistics</label>
<label id="with-token" hidden>Token <input type="password" id="token" autocomplete="off"></label>
<button type="submit" id="start" disabled>Restore</button>
<button type="button" id="stop" hidden>Stop</button>
</div>
</form>
<p id="status" role="status">Loading the models …</p>
<progress id="progress" max="1" aria-label="Progress" hidden></progress>
<section id="result" aria-label="Result" hidden>
<div class="controls">
<label>Left <select id="left"></select></label>
<label>Right <select id="right"></select></label>
<a id="download">Download</a>
</div>
<div class="compare" id="compare">
<img id="right-image" alt="">
<img id="left-image" alt="">
<span class="line" aria-hidden="true"></span>
</div>
<label class="slider">Where left ends and right begins <input type="range" id="at" min="0" max="100" value="50"></label>
</section>
</main>
</body>
</html>
`;
