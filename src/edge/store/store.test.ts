/** The SQLite stores keep the contracts. */
import { exceptionContract, heldContract, packageContract, tokenContract } from "../../../test/contract/store.ts";
import { openForTest } from "../../../test/contract/sqlite.ts";

packageContract("sqlite", () => openForTest((store) => store.packages));
exceptionContract("sqlite", () => openForTest((store) => store.exceptions));
tokenContract("sqlite", () => openForTest((store) => store.tokens));
heldContract("sqlite", () => openForTest((store) => store.held));
