/** Charts that fit a table, as code that a person can read, run and change. */
import { t } from '../../i18n'
import type { Column, Table } from '../../api/looking'

export type Sketch = 'histogram' | 'bars' | 'scatter' | 'line' | 'box' | 'heat'
export interface Chart {
  readonly sketch: Sketch
  /** What it shows, for a card, with the columns' names in it. */
  readonly title: string
  readonly code: string
  /** The places of the columns that it shows, as its sketch takes them. */
  readonly shows: readonly number[]
}

const CHARTS_MAX = 8
const quoted = (name: string) => JSON.stringify(name)

/** How the table becomes a pandas frame called `data`. */
function asPandas({ kind, variable }: Pick<Table, 'kind' | 'variable'>): string | null {
  if (variable === null || !/^[\p{L}_][\p{L}\p{N}_]*$/u.test(variable)) return null
  if (kind === 'pandas.DataFrame') return `data = ${variable}`
  if (kind === 'pandas.Series') return `data = ${variable}.to_frame(${variable}.name or "value")`
  if (kind === 'numpy.ndarray') return `import pandas as pd\n\ndata = pd.DataFrame(${variable}).rename(columns=str)`
  if (kind === 'list') return `import pandas as pd\n\ndata = pd.DataFrame(${variable})`
  if (kind === 'polars.Series') return `data = ${variable}.to_frame().to_pandas()`
  return kind === 'duckdb relation' ? `data = ${variable}.df()` : `data = ${variable}.to_pandas()`
}

/** Four to eight charts for these columns, the likeliest first; none for a table that has no name to call it by. */
export function suggested(table: Pick<Table, 'kind' | 'variable' | 'libraries' | 'columns'>, chosen: readonly number[]): readonly Chart[] {
  const data = asPandas(table)
  if (data === null) return []
  const named = table.columns.filter(({ name }, at) => table.columns.findIndex((other) => other.name === name) === at && !name.includes(' / '))
  const some = named.filter((column) => chosen.some((at) => table.columns[at] === column))
  const columns = some.length > 0 ? some : named.slice(0, 40)
  const of = (kind: Column['kind']) => columns.filter((column) => column.kind === kind).map(({ name }) => name)
  const numbers = of('number')
  const times = of('time')
  const groups = [...of('text'), ...of('bool')]
  const draw = table.libraries.includes('matplotlib') ? matplotlib : table.libraries.includes('altair') ? altair : plotly
  const made: Chart[] = []
  const add = (sketch: Sketch, title: string, ...names: readonly string[]) => made.push({ sketch, title, code: `${data}\n\n${draw[sketch](...names)}`, shows: names.filter((name) => name !== '').map((name) => table.columns.findIndex((column) => column.name === name)) })
  const [x, y, z] = numbers
  const [time] = times
  const [group] = groups
  if (time !== undefined && x !== undefined) add('line', t('{y} over {x}', { y: x, x: time }), time, x)
  if (x !== undefined) add('histogram', t('How {x} is distributed', { x }), x)
  if (x !== undefined && y !== undefined) add('scatter', t('{y} against {x}', { x, y }), x, y)
  if (group !== undefined) add('bars', t('How many of each {x}', { x: group }), group)
  if (group !== undefined && x !== undefined) add('box', t('{y} for each {x}', { y: x, x: group }), group, x)
  if (numbers.length > 2) add('heat', t('How the numbers go together'), ...numbers.slice(0, 20))
  if (y !== undefined) add('histogram', t('How {x} is distributed', { x: y }), y)
  if (y !== undefined && z !== undefined) add('scatter', t('{y} against {x}', { x: y, y: z }), y, z)
  if (groups[1] !== undefined) add('bars', t('How many of each {x}', { x: groups[1] }), groups[1])
  if (time !== undefined && y !== undefined) add('line', t('{y} over {x}', { y, x: time }), time, y)
  if (x !== undefined && made.length < 4) add('box', t('The spread of {x}', { x }), '', x)
  if (x !== undefined && made.length < 4) add('line', t('{x} in the order of rows', { x }), '', x)
  return made.slice(0, CHARTS_MAX)
}

type Draw = Readonly<Record<Sketch, (...names: string[]) => string>>

const title = (words: string) => quoted(words)

const matplotlib: Draw = {
  histogram: (x) => `ax = data[${quoted(x!)}].plot.hist(bins=30, title=${title(x!)})\nax.set_xlabel(${quoted(x!)});`,
  bars: (group) => `counts = data[${quoted(group!)}].value_counts().head(20)\nax = counts.sort_values().plot.barh(title=${title(group!)})\nax.set_xlabel("count");`,
  scatter: (x, y) => `data.plot.scatter(x=${quoted(x!)}, y=${quoted(y!)}, s=12, alpha=0.6);`,
  line: (x, y) => (x === '' ? `data[${quoted(y!)}].plot(title=${title(y!)});` : `data.sort_values(${quoted(x!)}).plot(x=${quoted(x!)}, y=${quoted(y!)});`),
  box: (group, x) =>
    group === ''
      ? `data.boxplot(column=${quoted(x!)});`
      : `largest = data[${quoted(group!)}].value_counts().head(12).index\ndata[data[${quoted(group!)}].isin(largest)].boxplot(column=${quoted(x!)}, by=${quoted(group!)}, rot=45);`,
  heat: (...names) =>
    `import matplotlib.pyplot as plt\n\ncolumns = ${JSON.stringify(names)}\ncorrelation = data[columns].corr()\nfig, ax = plt.subplots()\nimage = ax.imshow(correlation, vmin=-1, vmax=1, cmap="RdBu")\nax.set_xticks(range(len(columns)), columns, rotation=90)\nax.set_yticks(range(len(columns)), columns)\nfig.colorbar(image, label="correlation");`,
}

const chart = (mark: string, encoding: string, source = 'data') => `import altair as alt\n\nalt.Chart(${source}.head(5000)).${mark}.encode(${encoding})`
const field = (name: string) => `alt.X(field=${quoted(name)}, type="quantitative"`
const altair: Draw = {
  histogram: (x) => chart('mark_bar()', `${field(x!)}, bin=True), y="count()"`),
  bars: (group) => chart('mark_bar()', `alt.Y(field=${quoted(group!)}, type="nominal").sort("-x"), x="count()"`),
  scatter: (x, y) => chart('mark_point()', `${field(x!)}), alt.Y(field=${quoted(y!)}, type="quantitative")`),
  line: (x, y) => chart('mark_line()', `${x === '' ? 'x="index:Q"' : `alt.X(field=${quoted(x!)}, type="temporal")`}, y=alt.Y(field=${quoted(y!)}, type="quantitative")`, x === '' ? 'data.reset_index()' : 'data'),
  box: (group, x) => chart('mark_boxplot()', `${group === '' ? '' : `x=alt.X(field=${quoted(group!)}, type="nominal"), `}y=alt.Y(field=${quoted(x!)}, type="quantitative")`),
  heat: (...names) => `import altair as alt\n\ncorrelation = data[${JSON.stringify(names)}].corr().stack().rename_axis(["one", "other"]).reset_index(name="value")\nalt.Chart(correlation).mark_rect().encode(x="one:N", y="other:N", color=alt.Color("value:Q").scale(domain=[-1, 1], scheme="redblue"))`,
}

const express = (call: string) => `import plotly.express as px\n\npx.${call}`
const plotly: Draw = {
  histogram: (x) => express(`histogram(data, x=${quoted(x!)}, nbins=30)`),
  bars: (group) => express(`bar(data[${quoted(group!)}].value_counts().head(20))`),
  scatter: (x, y) => express(`scatter(data, x=${quoted(x!)}, y=${quoted(y!)})`),
  line: (x, y) => express(x === '' ? `line(data, y=${quoted(y!)})` : `line(data.sort_values(${quoted(x!)}), x=${quoted(x!)}, y=${quoted(y!)})`),
  box: (group, x) => express(group === '' ? `box(data, y=${quoted(x!)})` : `box(data, x=${quoted(group!)}, y=${quoted(x!)})`),
  heat: (...names) => express(`imshow(data[${JSON.stringify(names)}].corr(), zmin=-1, zmax=1, color_continuous_scale="RdBu")`),
}
