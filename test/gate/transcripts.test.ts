/** What the gate answers, request by request: one transcript for each subject, beside this file. */
import { fileURLToPath } from "node:url";
import { openStage } from "../kit/stage.ts";
import { transcripts } from "../kit/transcript.ts";

transcripts(fileURLToPath(new URL(".", import.meta.url)), openStage);
