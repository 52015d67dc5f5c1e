/** The English of the server's refusals, for the catalogues: what each of its codes says. Fetched with another language alone. */
import { msg } from './index'
import type { ProblemWords } from './problems'

/**
 * By `why` (which of several things a code covers), else by `code`. What is filled in comes with the refusal, by the
 * same names.
 */
export const PROBLEMS: ProblemWords = {
  // Anything.
  not_found: msg('There is no such thing here, or it is not shared with you.'),
  forbidden: msg('You may not do this here.'),
  not_signed_in: msg('Please sign in.'),
  storage_full: msg('The disk of the server is full: nothing new can be stored. What is stored stays. Tell your administrator.'),
  unavailable: msg('This does not work now. Try again in a moment. (The server says: {detail})'),
  bug: msg('Something went wrong on the server. Tell your administrator what you did, and this: {detail}'),
  cross_site: msg('This request came from another site.'),
  broken_off: msg('The connection broke before everything had arrived.'),
  outcome_unknown: msg('The database went away just then. Look whether it was done before you try again.'),
  login_needed: msg('For this you have to be signed in: an API token may not do it.'),

  // Accounts.
  wrong_credentials: msg('This e-mail address and password do not belong together.'),
  wrong_password: msg('The current password is wrong.'),
  many_attempts: msg('Too many failed attempts. Wait {retry_after} seconds.'),
  bad_link: msg('This link was used already, or is too old.'),
  email_taken: msg('There is an account with this e-mail address already.'),
  no_email: msg('This is not an e-mail address.'),
  unknown_email: msg('Nobody here has this e-mail address.'),
  person_name: msg('A name has 1 to {most} characters in one line.'),
  password_length: msg('A password has {least} to {most} characters.'),
  many_tokens: msg('There are {most} tokens already. Revoke one first.'),
  name_taken: msg('There is a group with this name already.'),

  // The drive.
  name_empty: msg('A name has at least one character.'),
  name_length: msg('A name has at most {most} characters.'),
  name_slash: msg('A name contains no slash and no backslash.'),
  name_dots: msg('A name is not made of dots alone.'),
  name_signs: msg('A name is one line, without control characters and without marks that change the direction of text.'),
  drive_full: msg('There is no room left in your drive. Delete something for good, or empty the trash: what is in it counts.'),
  drive_of_another_full: msg('There is no room for this in the drive of the person it would belong to. They have to delete something for good, or empty their trash.'),
  file_size: msg('A file here has at most {size_max}.'),
  many_uploads: msg('Too many uploads at once. Wait for one to finish.'),
  upload_stalled: msg('The upload stopped coming.'),
  upload_again: msg('The same file was deleted at this moment. Upload it again.'),
  in_trash: msg('This is in the trash. Restore it first.'),
  not_in_trash: msg('Only what is in the trash can be deleted.'),
  circle: msg('A folder cannot be put into itself.'),
  foreign_folder: msg('An item cannot be moved into another person’s folder.'),
  folder_full: msg('This folder is full.'),
  too_deep: msg('Folders go {most} deep at most.'),
  too_much: msg('That is too much to be copied at once. Copy it in parts.'),
  too_many_stars: msg('At most {most} items can be starred.'),
  content_missing: msg('The content of this file is missing on the server’s disk. Tell your administrator.'),
  content_damaged: msg('The content of this file is damaged. Tell your administrator.'),

  // Sharing.
  is_owner: msg('They are its owner already.'),
  past_expiry: msg('This would have expired already.'),
  many_unknown: msg('Too many unknown addresses. Wait {retry_after} seconds.'),
  many_grants: msg('At most {most} people, and as many groups, can be given a role on one item.'),
  playground: msg('A playground is for one alone. Save a copy to share it.'),
  is_playground: msg('A playground is for one alone. Save a copy first.'),

  // Notebooks, their comments and revisions.
  no_notebook: msg('The file is not a notebook: {what}'),
  notebook_size: msg('The notebook is larger than {size_max}.'),
  many_cells: msg('The notebook has more than {most} cells.'),
  too_large: msg('This is too large.'),
  resolved: msg('Somebody has decided this already.'),
  no_restore: msg('There is no restore to take back, or it was taken back already.'),
  revision_damaged: msg('What is stored of this revision is damaged.'),
  comment_length: msg('A comment has at most {most} characters.'),
  many_mentions: msg('A comment mentions at most {most} people.'),
  many_comments: msg('Too many comments in too short a time. Try again in {retry_after} seconds.'),
  full: msg('No more can be said here. Delete something first, or begin another thread.'),

  // What runs.
  many_runtimes: msg('You have {most} runtimes already, and may not have more. Disconnect one first.'),
  no_type: msg('There is no {type} here.'),
  no_version: msg('There is no runtime version “{version}”.'),
  no_runtimes: msg('This server was started without runtimes, so notebooks cannot run here.'),
  lifetime_over: msg('This runtime has been kept for as long as its type allows.'),
  given_back: msg('The runtime was given back before it was ready.'),
  may_not_run: msg('You may look at this notebook, and not run it.'),
  stale_source: msg('The cell changed since you asked to run it.'),
  many_waiting: msg('More cells wait than a kernel may be asked for.'),
  not_connected: msg('No kernel is connected.'),
  kernel_busy: msg('The kernel is busy with something that lets nobody else in.'),
  kernel_gone: msg('The kernel of this widget is gone. Run the cell again.'),
  unsupported_kernel: msg('Only Python kernels can be asked about their variables.'),
  table_stopped: msg('It was stopped.'),
  table_gone: msg('The kernel does not have this table any more. Run the cell again, then open it.'),

  // Addresses that a person gave.
  fetch_off: msg('This server opens no other addresses.'),
  fetch_slow: msg('The other server is too slow.'),
  fetch_failed: msg('The other server cannot be reached, or does not answer as it should.'),
  host_refused: msg('This server does not open addresses of that host.'),
  no_address: msg('This is no address of the web (https://…).'),
  address_refused: msg('There is no such public address.'),
}
