/** What people see: one transcript for each command, beside this file. The gate of the stage stands for the company's. */
import { fileURLToPath } from "node:url";
import { openStage } from "../kit/stage.ts";
import { transcripts } from "../kit/transcript.ts";

transcripts(fileURLToPath(new URL(".", import.meta.url)), openStage);
