/** Before every test file: property tests try the same cases in every run, so that what passed once passes again. `CORDON_FUZZ_SEED=7 npm test` tries others. */
import { configureGlobal } from "fast-check";

configureGlobal({ seed: Number(process.env["CORDON_FUZZ_SEED"] ?? 20_260_331) });
