/** The focus goes back to where it was; if that has gone, to the cell at which Tab would arrive, or to the page's main part. */
export function goBackTo(before: HTMLElement | null): void {
  const back = before?.isConnected === true && before.checkVisibility() ? before : (document.querySelector<HTMLElement>('.cell-group > [tabindex="0"]') ?? document.querySelector<HTMLElement>('.nb-main'))
  back?.focus({ preventScroll: true })
}
