/** The notebook that a newcomer finds behind “Take the tour”: it shows by doing. */
import type { Item } from '../api/types'
import { uploadFile } from '../api/upload'

const text = (source: string) => ({ cell_type: 'markdown', metadata: {}, source })
const code = (source: string, metadata: object = {}) => ({ cell_type: 'code', metadata, source, outputs: [], execution_count: null })

const CELLS = [
  text(`# A tour of Collegium

This is a notebook: text like this, and code that runs on a machine of your own. Change anything, it is your copy.

**Run a cell:** press the round button at its left, or click into it and press \`Ctrl\` + \`Enter\`.`),
  code(`import platform, sys

print("Hello from Python", sys.version.split()[0], "on", platform.system())`),
  text(`## Draw something

\`Shift\` + \`Enter\` runs a cell and goes on to the next one. The first run starts your machine, the next ones find it running.`),
  code(`import matplotlib.pyplot as plt
import numpy as np

x = np.linspace(0, 4 * np.pi, 400)
plt.figure(figsize=(7, 3))
plt.plot(x, np.sin(x), label="sin")
plt.plot(x, np.sin(x) * np.exp(-x / 6), label="damped")
plt.legend()
plt.show()`),
  text(`## Fields instead of code

Comments that begin with \`#@param\` become fields. Move the slider: the cell runs again by itself once you have run it.`),
  code(`# @title Compound interest { run: "auto" }
start = 1000 # @param {type:"integer"}
rate = 4 # @param {type:"slider", min:0, max:12, step:0.5}
years = 20 # @param {type:"slider", min:1, max:50, step:1}
# @markdown Interest is added once a year.

print(f"After {years} years: {start * (1 + rate / 100) ** years:,.2f}")`),
  text(`## Look at data

A table is shown as one. The Variables panel at the left lists what your program holds.`),
  code(`import pandas as pd

cities = pd.DataFrame({
    "city": ["Lagos", "Lima", "Lyon", "Lahore"],
    "people_millions": [15.4, 11.0, 1.7, 13.0],
    "founded": [1472, 1535, -43, 1021],
})
cities.sort_values("people_millions", ascending=False)`),
  text(`## Formulas and lists

Double-click this text to see how it is written. Euler's identity is $e^{i\\pi} + 1 = 0$, and

$$\\int_{-\\infty}^{\\infty} e^{-x^2}\\,dx = \\sqrt{\\pi}.$$

| To do this | Press |
| --- | --- |
| find any command | \`Ctrl\` + \`Shift\` + \`P\` |
| insert a code cell below | \`Ctrl\` + \`M\`, then \`B\` |
| see all keys | \`Ctrl\` + \`M\`, then \`H\` |`),
  text(`## Together

**Share** at the top right lets colleagues write in this notebook with you: you see their cursors, they see your results. Every edit is saved as you type, and **File → Revision history** brings back any state.

Close the page whenever you like. What runs goes on running.`),
]

/** Put a copy of the tour into a folder of the drive. */
export function takeTour(folder: string): Promise<Pick<Item, 'id' | 'name'>> {
  const notebook = { nbformat: 4, nbformat_minor: 5, metadata: { kernelspec: { name: 'python3', display_name: 'Python 3' }, language_info: { name: 'python' } }, cells: CELLS.map((cell, at) => ({ id: `tour-${at}`, ...cell })) }
  const file = new File([JSON.stringify(notebook)], 'A tour of Collegium.ipynb', { type: 'application/x-ipynb+json' })
  return uploadFile(file, folder, () => undefined).done
}
