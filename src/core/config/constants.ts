/** Values fixed when cordon is built, from npm's own packages (`tools/build-constants.ts`); no file spells these hosts. */
declare const __NPM_REGISTRY__: string;
declare const __YARN_REGISTRY_HOST__: string;
declare const __CORDON_VERSION__: string;

/** npm's built-in default registry, with trailing slash. */
export const NPM_REGISTRY: string = __NPM_REGISTRY__;
/** Host name of npm's built-in default registry. */
export const NPM_REGISTRY_HOST: string = new URL(__NPM_REGISTRY__).hostname;
/** Host name yarn 1 writes into its lockfiles by default: an alias of npm's registry. */
export const YARN_REGISTRY_HOST: string = __YARN_REGISTRY_HOST__;
export const VERSION: string = __CORDON_VERSION__;

/** Request header that counts the gates a request has passed; see `LIMITS.gateHops`. */
export const HOP_HEADER = "x-cordon-hop";
/** `schema` of what a gate answers at `-/cordon/health`: by it (and `instance`) one gate recognises another. */
export const HEALTH_SCHEMA = "cordon.health/1";
