// For pages made of modules: `import { SecureProctor } from ".../secureproctor.mjs"`.
import "./secureproctor.js";

export const { SecureProctor, SecureProctorError } = globalThis;
export default SecureProctor;
