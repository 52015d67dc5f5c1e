/** The notebook page, loaded when it is first needed. */
export { NotebookPage, NotebookPage as default } from './NotebookPage'
