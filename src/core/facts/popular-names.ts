/**
 * Names that many people type, and so the names that others imitate. From general knowledge, not from any list; completeness is not
 * needed: a name that is missing only goes unwarned.
 */
const UNSCOPED = `
abbrev abort-controller accepts acorn acorn-jsx acorn-walk adm-zip aedes agent-base agenda ajv ajv-formats ajv-keywords alpinejs amqplib
angular animejs ansi-colors ansi-escapes ansi-regex ansi-styles antd anymatch apexcharts apollo-server archiver arg argon2 argparse aria-query
array-flatten array-includes array-union arrify asn1 asn1.js assert assert-plus ast-types astro async async-mutex async-retry asynckit
atob autoprefixer ava aws-amplify aws-cdk aws-cdk-lib aws-sdk aws4 axe-core axios axios-mock-adapter axios-retry babel-core babel-eslint
babel-jest babel-loader babel-plugin-istanbul babel-plugin-macros babel-polyfill babel-preset-env babel-preset-react backbone balanced-match
base-x base64-js base64url basic-auth basic-ftp bcrypt bcryptjs better-auth better-sqlite3 big-integer big.js bignumber.js binary-extensions
bindings bintrees bip32 bip39 bitcoinjs-lib bl block-stream bluebird blueimp-md5 bn.js body-parser boolbase bootstrap bootstrap-icons bottleneck
bowser boxen brace-expansion braces bree brorand browserify browserslist bs58 bser buffer buffer-crc32 buffer-from bull bullmq bunyan busboy
byline bytes c8 cac cacache cacheable cacheable-request call-bind callsites camelcase caniuse-lite canvas caseless chai chalk change-case char-regex
chart.js cheerio chokidar chownr chromatic chrono-node ci-info cjs-module-lexer clack class-validator class-transformer classnames clean-css clean-stack
cli-cursor cli-progress cli-spinners cli-table cli-table3 cli-width cliui clone clone-deep cloudinary clsx cmdk code-push codemirror coffee-script
coffeescript color color-convert color-name color-string colorette colors columnify combined-stream commander comment-json common-tags commondir
compressible compression concat-map concat-stream concurrently conf config config-chain connect connect-redis consola console-control-strings
content-disposition content-type conventional-changelog convert-source-map convict cookie cookie-parser cookie-session cookie-signature cookies
copy-webpack-plugin core-js core-js-compat core-util-is cors cosmiconfig crc cron cross-env cross-fetch cross-spawn crypto-browserify crypto-js
css-loader css-select css-tree css-what cssesc cssnano csso cssom cssstyle csstype csv csv-parse csv-parser csv-stringify cypress cytoscape d3 d3-array
d3-scale d3-selection d3-shape dagre dashdash data-uri-to-buffer dataloader date-fns date-fns-tz dateformat dayjs debug decamelize decimal.js
decode-uri-component decompress deep-eql deep-equal deep-extend deep-is deepmerge default-gateway defaults defer-to-connect define-properties
defu degit del delayed-stream delegates denque depd dequal destr destroy detect-indent detect-libc detect-newline devtools-protocol didyoumean diff
dir-glob discord.js dijkstrajs doctrine docusaurus dom-serializer domelementtype domhandler dompurify domutils dot-prop dotenv dotenv-cli dotenv-expand
dotenv-flow drizzle-kit drizzle-orm duckdb duplexer duplexify eastasianwidth easy-peasy ecc-jsbn echarts ee-first ejs electron electron-builder
electron-store electron-to-chromium electron-updater elliptic email-validator ember-cli emittery emoji-regex emotion encodeurl encoding end-of-stream
engine.io enhanced-resolve enquirer entities env-paths envinfo enzyme err-code error-ex es-abstract es-module-lexer es5-ext es6-promise esbuild
esbuild-register escalade escape-html escape-string-regexp escodegen eslint eslint-config-airbnb eslint-config-airbnb-base eslint-config-next
eslint-config-prettier eslint-import-resolver-typescript eslint-plugin-import eslint-plugin-jest eslint-plugin-jsx-a11y eslint-plugin-node
eslint-plugin-prettier eslint-plugin-promise eslint-plugin-react eslint-plugin-react-hooks eslint-plugin-unicorn eslint-plugin-vue eslint-scope
eslint-utils eslint-visitor-keys esm espree esprima esquery esrecurse estraverse estree-walker esutils etag ethereumjs-util ethereumjs-wallet
ethers event-emitter event-stream event-target-shim eventemitter2 eventemitter3 events eventsource exceljs execa exit expand-template expect
expo expo-cli express express-rate-limit express-session express-validator ext extend external-editor extract-zip extsprintf faker
fast-check fast-deep-equal fast-diff fast-equals fast-glob fast-json-stable-stringify fast-levenshtein fast-redact fast-safe-stringify fast-uri
fast-xml-parser fastest-levenshtein fastify fastq fb-watchman fbjs fecha fetch-blob ffmpeg-static figlet figures file-entry-cache file-loader
file-saver file-type filesize fill-range finalhandler find-cache-dir find-root find-up firebase firebase-admin firebase-tools flat flat-cache flatted
flow-bin fluent-ffmpeg flux follow-redirects font-awesome for-each foreach foreground-child forever forever-agent form-data formdata-node
formidable formik forwarded framer-motion fresh from2 fs-extra fs-minipass fs.realpath fsevents ftp function-bind fuse.js fuzzy gatsby gauge
generate-function generic-pool gensync get-caller-file get-intrinsic get-port get-proto get-stream getpass gh-pages git-raw-commits git-url-parse
glob glob-parent glob-stream global-agent globals globalthis globby gluegun got graceful-fs graphemer graphlib graphql graphql-request
graphql-tag graphql-tools graphql-ws gray-matter grpc gsap gulp gulp-cli gulp-concat gulp-rename gulp-sass gulp-uglify gzip-size h3 handlebars
hapi hardhat has has-ansi has-flag has-own-prop has-symbols has-tostringtag has-unicode has-value hash-base hash.js hasown hast-util-to-html he
helmet hexo highcharts highlight.js history hls.js hoist-non-react-statics hono hookable hosted-git-info hpack.js html-entities html-escaper
html-loader html-minifier html-minifier-terser html-to-text html-webpack-plugin htmlparser2 http-assert http-cache-semantics http-errors
http-proxy http-proxy-agent http-proxy-middleware http-server http-signature http-status-codes http2-wrapper https-proxy-agent human-signals husky
i18next i18next-browser-languagedetector iconv-lite icss-utils idb ieee754 ignore ignore-walk image-size imagemin immer immutable import-fresh
import-from import-lazy import-local imurmurhash indent-string indexof infer-owner inflection inflight inherits ini ink inline-style-prefixer
inquirer internal-slot interpret intl-messageformat invariant inversify ioredis ip ip-address ip-regex ipaddr.js is is-absolute-url is-arguments
is-array-buffer is-arrayish is-bigint is-binary-path is-boolean-object is-buffer is-callable is-ci is-core-module is-date-object is-docker
is-even is-extendable is-extglob is-finite is-fullwidth-code-point is-generator-fn is-glob is-interactive is-map is-negative-zero is-number
is-number-object is-obj is-odd is-path-cwd is-path-inside is-plain-obj is-plain-object is-potential-custom-element-name is-promise is-reference
is-regex is-set is-shared-array-buffer is-stream is-string is-symbol is-typed-array is-typedarray is-unicode-supported is-url is-utf8
is-weakref is-what is-windows is-wsl isarray isbinaryfile isexe isobject isomorphic-fetch isomorphic-unfetch isomorphic-ws isstream istanbul
istanbul-lib-coverage istanbul-reports jackspeak jake jasmine jasmine-core java-parser jest jest-cli jest-circus jest-config jest-diff jest-environment-jsdom
jest-haste-map jest-junit jest-matcher-utils jest-mock jest-resolve jest-util jest-worker jimp jiti joi jose jotai jpeg-js jquery jquery-ui
js-base64 js-beautify js-cookie js-md5 js-sha256 js-sha3 js-tokens js-yaml jsbn jsdoc jsdom jsesc json-buffer json-bigint json-loader
json-parse-better-errors json-parse-even-better-errors json-rpc-engine json-schema json-schema-traverse json-server json-stable-stringify
json-stringify-safe json2csv json5 jsonc-parser jsonfile jsonify jsonparse jsonpath jsonpath-plus jsonpointer jsonschema jsonwebtoken jspdf
jsprim jss jszip jwa jwks-rsa jws jwt-decode jwt-simple karma karma-chrome-launcher kafkajs katex keccak keygrip keytar keyv kind-of klaw
kleur knex knip ko koa koa-body koa-bodyparser koa-compose koa-router koa-static konva kuler langchain latest-version lazystream leaflet lerna less
less-loader leven levn libphonenumber-js libsql lie lightningcss lilconfig lines-and-columns linkify-it lint-staged listr listr2 lit lit-element
lit-html load-json-file loader-runner loader-utils localforage locate-path lodash lodash-es lodash.camelcase lodash.clonedeep lodash.debounce
lodash.get lodash.isequal lodash.merge lodash.once lodash.set lodash.throttle lodash.uniq log-symbols log-update log4js loglevel logform lokijs long longest
loose-envify lottie-web lowdb lower-case lowercase-keys lru-cache lru-queue lucide lucide-react luxon magic-string mailgun.js make-dir make-error
make-fetch-happen makeerror map-cache map-obj mapbox-gl maplibre-gl markdown-it markdown-to-jsx marked mastra material-ui math-intrinsics mathjs
mathjax md5 md5.js mdast-util-to-string mdurl media-typer mem memfs memoize-one memoizee memory-fs memorystream meow merge merge-descriptors
merge-stream merge2 mermaid meteor method-override methods metro micro microbundle micromark micromatch microtime middy mime mime-db mime-types
mimic-fn mimic-response miniflare mini-css-extract-plugin mini-svg-data-uri minimalistic-assert minimatch minimist minipass minizlib mitt mixin-deep
mkdirp mlly mobx mobx-react mobx-state-tree mocha mock-fs mock-socket module-alias moleculer moment moment-timezone monaco-editor mongodb
mongodb-memory-server mongoose morgan move-concurrently mpath mqtt mri mrmime ms msgpack-lite msgpackr msnodesqlv8 mssql msw multer multicast-dns multimatch
mustache mute-stream mysql mysql2 mz n8n nan nano nano-css nanoid nanomatch nanostores napi-build-utils natural natural-compare nats nconf ncp
negotiator neo4j-driver neo-async nest next next-auth next-intl next-i18next next-pwa next-seo next-sitemap next-themes ng-packagr ng-zorro-antd
nice-try nise nitropack no-case nock node-abi node-addon-api node-cache node-cron node-fetch node-forge node-gyp node-gyp-build node-int64 node-ipc
node-libs-browser node-mailer node-notifier node-pg-migrate node-pre-gyp node-releases node-rsa node-sass node-schedule node-ssh node-telegram-bot-api
nodemailer nodemon nopt normalize-package-data normalize-path normalize-range normalize-url normalize.css npm npm-check-updates npm-packlist npm-run-all
npm-run-path npmlog nprogress nth-check nuxt nwsapi nx nyc nypm oauth oauth-sign oauth4webapi object-assign object-hash object-inspect object-is object-keys
object-path object.assign object.entries object.fromentries object.values objection obuf octokit ofetch on-finished on-headers once one-time onetime
onnxruntime-node ollama open openai opencollective openapi-types openapi-typescript opener openid-client opn optimism optimist optionator ora os-homedir
os-tmpdir ox oxlint p-cancelable p-each-series p-event p-finally p-limit p-locate p-map p-queue p-reduce p-retry p-timeout p-try pac-proxy-agent
package-json package-json-from-dist pacote pako papaparse param-case parse-json parse-ms parse-node-version parse-path parse-url parse5 parseurl
pascal-case passport passport-google-oauth20 passport-jwt passport-local patch-package path-browserify path-exists path-is-absolute path-key
path-parse path-scurry path-to-regexp path-type pathe pathval pbkdf2 pdf-lib pdf-parse pdfjs-dist pdfkit pdfmake peek-readable pend perfect-debounce
performance-now pg pg-boss pg-connection-string pg-hstore pg-pool pg-promise pg-protocol pg-types phaser phin picocolors picomatch pidtree pify pinia
pinkie pinkie-promise pino pino-http pino-pretty pirates pixelmatch pixi.js pkg pkg-dir pkg-types platform playwright playwright-core plist plop
pluralize pm2 pngjs pnpm polished popper.js portfinder posix-character-classes possible-typed-array-names postcss postcss-cli postcss-import postcss-js
postcss-loader postcss-nested postcss-preset-env postcss-scss postcss-selector-parser postcss-value-parser posthog-js posthog-node preact prebuild-install prelude-ls
prettier prettier-plugin-tailwindcss pretty pretty-bytes pretty-error pretty-format pretty-ms primeng primereact prisma prismjs private process
process-nextick-args progress prom-client promise promise-inflight promise-polyfill promise-retry prompt prompts prop-types proper-lockfile
property-information prosemirror-model prosemirror-state protobufjs proxy-addr proxy-agent proxy-from-env proxyquire ps-tree pseudomap psl pug pump pumpify
punycode pupa puppeteer puppeteer-core puppeteer-extra pure-rand purgecss q qrcode qrcode-terminal qs query-string querystring queue-microtask
quick-lru quickjs-emscripten quill radash rambda ramda random-bytes random-seed randombytes randomstring range-parser raw-body raw-loader rc
rc-slider rc-table rc-util react react-aria react-beautiful-dnd react-bootstrap react-color react-datepicker react-day-picker react-dev-utils
react-dnd react-dom react-dropzone react-error-boundary react-fast-compare react-helmet react-helmet-async react-hook-form react-hot-toast react-i18next
react-icons react-is react-intl react-leaflet react-markdown react-modal react-native react-native-gesture-handler react-native-reanimated
react-native-safe-area-context react-native-screens react-native-svg react-native-vector-icons react-native-web react-native-webview react-pdf react-player
react-popper react-query react-redux react-refresh react-resizable-panels react-router react-router-dom react-scripts react-scroll react-select
react-slick react-spring react-syntax-highlighter react-table react-test-renderer react-testing-library react-textarea-autosize react-to-print
react-toastify react-tooltip react-transition-group react-use react-virtualized react-window read-pkg read-pkg-up readable-stream readdirp readline-sync
recast recharts rechoir recoil recursive-readdir redis redis-parser redoc redux redux-form redux-logger redux-mock-store redux-persist redux-saga
redux-thunk reflect-metadata regenerator-runtime regenerate regexpp regexpu-core rehype-raw rehype-stringify remark remark-gfm remark-parse
remeda remix remove-trailing-separator repeat-string replace-in-file request request-promise request-promise-native require-directory
require-from-string require-main-filename requires-port reselect resize-observer-polyfill resolve resolve-cwd resolve-from resolve-url resolve.exports
responselike restify restore-cursor ret retry reusify rfdc rimraf ripemd160 rolldown rollup rollup-plugin-terser rollup-plugin-typescript2
rollup-plugin-visualizer rsvp run-async run-parallel rxjs rxjs-compat safe-buffer safe-regex safe-stable-stringify safer-buffer sanitize-html sass sass-loader
satori sax saxes scheduler schema-utils scrypt-js scss-tokenizer seedrandom selenium-webdriver semantic-release semantic-ui-react semver send
sentry sequelize sequelize-cli serialize-error serialize-javascript serve serve-favicon serve-index serve-static serverless serverless-http
serverless-offline set-blocking set-function-length set-value setimmediate setprototypeof sha.js sha3 shallow-clone shallowequal sharp shebang-command
shebang-regex shell-quote shelljs shiki short-uuid shortid side-channel sift signal-exit signale simple-concat simple-get simple-git simple-swizzle
simple-update-notifier sinon sinon-chai sirv sisteransi slash slate slice-ansi slick-carousel slugify smart-buffer snapdragon snowflake-sdk
socket.io socket.io-client socket.io-parser sockjs sockjs-client socks socks-proxy-agent solc solid-js sonner sort-keys source-list-map source-map
source-map-js source-map-loader source-map-resolve source-map-support sourcemap-codec spawn-command spdx-correct spdx-expression-parse split
split2 splitpanes sprintf-js sql.js sqlite sqlite3 sqlstring squel sshpk ssh2 ssh2-sftp-client ssri stack-trace stack-utils stackblur-canvas
standard standard-version starknet statuses std-env stdout-update stimulus store2 storybook stream-browserify stream-http stream-json streamsearch strict-uri-encode
string-argv string-length string-similarity string-width string.prototype.matchall string.prototype.trim string_decoder stringify-object strip-ansi
strip-bom strip-eof strip-final-newline strip-indent strip-json-comments stripe strnum strtok3 style-loader style-to-object styled-components styled-jsx
stylelint stylelint-config-standard stylis stylus sucrase superagent superjson superstruct supertest supports-color supports-hyperlinks
supports-preserve-symlinks-flag svelte svelte-check svg-parser svgo sweetalert sweetalert2 swiper swr symbol-observable symbol-tree synckit
systeminformation table tailwind-merge tailwindcss tailwindcss-animate tapable tape tar tar-fs tar-stream telegraf temp temp-dir tempy term-size
terminal-link terser terser-webpack-plugin test-exclude testcafe text-hex text-table thenify thenify-all three throat throttle-debounce through through2
thunky tiktoken timers-browserify timm tiny-case tiny-emitter tiny-invariant tiny-warning tinybench tinycolor2 tinyglobby tinymce tinypool tinyspy
tippy.js title-case tmp tmpl to-fast-properties to-regex-range toidentifier token-types toposort totalist touch tough-cookie tr46 traverse tree-kill trim
trim-newlines triple-beam tronweb trough ts-essentials ts-interface-checker ts-jest ts-loader ts-mocha ts-morph ts-node ts-node-dev ts-pattern
ts-toolbelt tsc-alias tsconfig-paths tscpaths tsdown tslib tslint tsup tsutils tsx tty-browserify tunnel tunnel-agent turbo turndown tweetnacl twilio
twitter-api-v2 type-check type-detect type-fest type-graphql type-is typedarray typedarray-to-buffer typedi typedoc typeorm types-ramda typescript
typescript-eslint ua-parser-js uc.micro ufo uglify-js uid uid-safe umzug unbox-primitive unbuild uncontrollable underscore undici undici-types unherit
unicorn-magic unified union-value unique-filename unist-util-visit universal-cookie universal-user-agent universalify unocss unpipe unplugin unstorage
untildify unzipper upath update-browserslist-db update-notifier uri-js url url-join url-loader url-parse urijs use-debounce use-immer use-sync-external-store
utf-8-validate util util-deprecate utila utils-merge uuid uvu uwebsockets.js v8-compile-cache v8-to-istanbul valibot valid-url validate-npm-package-license
validate-npm-package-name validator valtio vary vee-validate verdaccio verror vfile viem vinyl vite vite-node vite-plugin-dts vite-plugin-pwa
vite-plugin-svgr vite-tsconfig-paths vitepress vitest vm2 vscode vscode-languageserver vue vue-class-component vue-cli vue-demi vue-eslint-parser
vue-i18n vue-loader vue-router vue-style-loader vue-template-compiler vue-tsc vuedraggable vuepress vuetify vuex w3c-xmlserializer wait-on wagmi walker
warning watchpack wcwidth web-streams-polyfill web-vitals web3 web3-utils webdriver webdriverio webidl-conversions webpack webpack-bundle-analyzer
webpack-cli webpack-dev-middleware webpack-dev-server webpack-hot-middleware webpack-manifest-plugin webpack-merge webpack-node-externals
webpack-sources webpackbar websocket websocket-driver websocket-stream whatwg-encoding whatwg-fetch whatwg-mimetype whatwg-url when which which-boxed-primitive
which-module which-typed-array wide-align widest-line wildcard window-size winston winston-daily-rotate-file winston-transport word-wrap wordwrap
workbox-build workbox-webpack-plugin worker-farm worker-loader wrangler wrap-ansi wrappy write-file-atomic ws xhr xlsx xml xml-js xml-name-validator xml2js
xmlbuilder xmlchars xmldom xmlhttprequest xpath xregexp xstate xtend y18n yallist yaml yaml-loader yargs yargs-parser yarn yauzl yazl yeoman-generator
yjs ylru yn yocto-queue yocto-spinner youch youtube-dl youtubei.js yup z-schema zen-observable zip-stream zod zod-to-json-schema zone.js zustand zx
`;

/** Scopes whose packages many people install; an imitation swaps a letter of the scope or writes `scope-name` without it. */
const SCOPED = `
@angular/cli @angular/common @angular/compiler @angular/core @angular/forms @angular/material @angular/router @antfu/utils @apollo/client
@apollo/server @astrojs/react @aws-sdk/client-dynamodb @aws-sdk/client-s3 @aws-sdk/lib-dynamodb @azure/identity @azure/storage-blob @babel/cli @babel/core
@babel/eslint-parser @babel/generator @babel/helpers @babel/parser @babel/plugin-transform-runtime @babel/preset-env @babel/preset-react
@babel/preset-typescript @babel/register @babel/runtime @babel/traverse @babel/types @biomejs/biome @capacitor/core @changesets/cli @chakra-ui/react
@clerk/nextjs @cloudflare/workers-types @commitlint/cli @commitlint/config-conventional @ctrl/tinycolor @discordjs/rest @dnd-kit/core @emotion/react
@emotion/styled @esbuild/linux-x64 @eslint/js @ethersproject/abi @expo/vector-icons @faker-js/faker @fastify/cors @fastify/static @floating-ui/react
@fortawesome/fontawesome-svg-core @fortawesome/react-fontawesome @google-cloud/storage @google/generative-ai @graphql-codegen/cli @grpc/grpc-js
@grpc/proto-loader @hapi/hapi @hapi/joi @headlessui/react @heroicons/react @hookform/resolvers @huggingface/inference @iconify/react @inquirer/prompts
@jest/core @jest/globals @jridgewell/trace-mapping @langchain/core @langchain/openai @ledgerhq/connect-kit @libsql/client @mapbox/node-pre-gyp @mastra/core
@mui/icons-material @mui/lab @mui/material @mui/x-data-grid @nestjs/cli @nestjs/common @nestjs/config @nestjs/core @nestjs/jwt @nestjs/platform-express
@nestjs/swagger @nestjs/testing @nestjs/typeorm @next/mdx @noble/hashes @noble/secp256k1 @nuxt/kit @nx/js @octokit/core @octokit/rest @openzeppelin/contracts
@opentelemetry/api @parcel/watcher @playwright/test @pnpm/logger @popperjs/core @prisma/client @radix-ui/react-dialog @radix-ui/react-slot @react-native-async-storage/async-storage
@react-native-community/cli @react-navigation/native @redux-devtools/extension @reduxjs/toolkit @remix-run/react @rollup/plugin-commonjs
@rollup/plugin-node-resolve @rollup/plugin-typescript @rspack/core @sendgrid/mail @sentry/browser @sentry/nextjs @sentry/node @sentry/react @sinclair/typebox
@sindresorhus/is @slack/bolt @slack/web-api @smithy/types @socket.io/component-emitter @solana/web3.js @storybook/react @stripe/stripe-js
@supabase/supabase-js @sveltejs/kit @swc/cli @swc/core @swc/helpers @tailwindcss/forms @tailwindcss/postcss @tailwindcss/typography @tailwindcss/vite
@tanstack/query-core @tanstack/react-query @tanstack/react-router @tanstack/react-table @testing-library/dom @testing-library/jest-dom
@testing-library/react @testing-library/user-event @tiptap/core @tootallnate/once @trpc/client @trpc/server @tsconfig/node20 @typescript-eslint/eslint-plugin
@typescript-eslint/parser @upstash/redis @vercel/analytics @vitejs/plugin-react @vitejs/plugin-vue @vitest/ui @vue/cli @vue/compiler-sfc @vue/test-utils @vueuse/core
@walletconnect/client @web3-react/core @xstate/react @yarnpkg/cli
`;

export const POPULAR_NAMES: ReadonlySet<string> = new Set(`${UNSCOPED} ${SCOPED}`.split(/\s+/).filter((name) => name !== ""));
