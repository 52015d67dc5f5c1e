/** How short a password may be; the server says so again. */
export const PASSWORD_MIN = 8
