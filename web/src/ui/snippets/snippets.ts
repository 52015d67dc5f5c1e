/** Code for what people do again and again, each piece complete as it stands. */
export interface Snippet {
  /** In English; whoever shows it translates it. */
  readonly name: string
  /** Other words under which it is found. */
  readonly words: string
  readonly source: string
}

const lines = (...all: readonly string[]): string => all.join('\n')

export const SNIPPETS: readonly Snippet[] = [
  {
    name: 'Read a CSV file', words: 'pandas table load data',
    source: lines('import pandas as pd', '', "table = pd.read_csv('/content/data.csv')", 'table.head()'),
  },
  {
    name: 'Read a large file lazily', words: 'polars parquet csv scan big data',
    source: lines('import polars as pl', '', "(", "    pl.scan_csv('/content/data.csv')", "    .group_by('group')", "    .agg(pl.len().alias('rows'))", "    .sort('rows', descending=True)", '    .collect()', ')'),
  },
  {
    name: 'Ask tables with SQL', words: 'duckdb query database select dataframe',
    source: lines('import duckdb', 'import pandas as pd', '', "points = pd.DataFrame({'team': ['a', 'b', 'a'], 'points': [3, 5, 4]})", "duckdb.sql('select team, sum(points) as points from points group by team order by points desc').df()"),
  },
  {
    name: 'Line chart', words: 'matplotlib plot figure graph',
    source: lines('import matplotlib.pyplot as plt', 'import numpy as np', '', 'x = np.linspace(0, 2 * np.pi, 200)', "figure, axes = plt.subplots(figsize=(7, 4), layout='constrained')", "axes.plot(x, np.sin(x), label='sine')", "axes.plot(x, np.cos(x), label='cosine')", "axes.set(xlabel='x', ylabel='y')", 'axes.legend();'),
  },
  {
    name: 'Several charts in a figure', words: 'matplotlib subplots histogram scatter',
    source: lines('import matplotlib.pyplot as plt', 'import numpy as np', '', 'values = np.random.default_rng(0).normal(size=(500, 2))', "figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout='constrained')", 'left.hist(values[:, 0], bins=30)', "left.set_title('Histogram')", 'right.scatter(values[:, 0], values[:, 1], s=8)', "right.set_title('Scatter');"),
  },
  {
    name: 'Interactive chart', words: 'plotly zoom hover figure',
    source: lines('import plotly.express as px', '', "table = px.data.gapminder().query('year == 2007')", "px.scatter(table, x='gdpPercap', y='lifeExp', size='pop', color='continent', hover_name='country', log_x=True)"),
  },
  {
    name: 'Form fields', words: 'param title slider dropdown input',
    source: lines('#@title What to compute', 'name = "Ada"  #@param {type:"string"}', 'count = 3  #@param {type:"slider", min:1, max:10, step:1}', 'kind = "circle"  #@param ["circle", "square"]', '', "print(f'{name}: {count} × {kind}')"),
  },
  {
    name: 'Slider that recomputes', words: 'widgets interact ipywidgets',
    source: lines('import matplotlib.pyplot as plt', 'import numpy as np', 'from ipywidgets import interact', '', '', '@interact(frequency=(1, 10), amplitude=(0.1, 2.0))', 'def wave(frequency=2, amplitude=1.0):', '    x = np.linspace(0, 2 * np.pi, 400)', '    plt.figure(figsize=(7, 3))', '    plt.plot(x, amplitude * np.sin(frequency * x))', '    plt.ylim(-2, 2)', '    plt.show()'),
  },
  {
    name: 'Progress of a loop', words: 'tqdm bar wait',
    source: lines('from time import sleep', '', 'from tqdm.auto import tqdm', '', "for step in tqdm(range(100), desc='Working'):", '    sleep(0.02)'),
  },
  {
    name: 'Install a package', words: 'pip shell library',
    source: lines('# Into this runtime alone; other notebooks do not notice.', '%pip install --quiet humanize', '', 'import humanize', '', 'humanize.intword(12_345_678)'),
  },
  {
    name: 'Upload files from this computer', words: 'colab files browse',
    source: lines('from google.colab import files', '', 'for name, content in files.upload().items():', "    print(f'{name}: {len(content):,} bytes')"),
  },
  {
    name: 'Download a file to this computer', words: 'colab files save export',
    source: lines('from pathlib import Path', '', 'from google.colab import files', '', "Path('result.txt').write_text('done\\n')", "files.download('result.txt')"),
  },
  {
    name: 'List and read files', words: 'pathlib folder glob text',
    source: lines('from pathlib import Path', '', "for path in sorted(Path('/content').rglob('*')):", '    if path.is_file():', "        print(f'{path.stat().st_size:>12,}  {path}')"),
  },
  {
    name: 'Use a secret', words: 'key token password userdata api',
    source: lines('from google.colab import userdata', '', '# The value stays out of the notebook, and out of what is shared.', "key = userdata.get('MY_KEY')"),
  },
  {
    name: 'What this runtime has', words: 'gpu memory cpu nvidia machine',
    source: lines('import os', 'import platform', 'import shutil', '', "print(f'Python {platform.python_version()}, {os.cpu_count()} processors')", "total, used, free = shutil.disk_usage('/content')", "print(f'disk: {free / 2**30:.1f} GiB free of {total / 2**30:.1f}')", '!free -h', '!nvidia-smi 2>/dev/null || echo "no NVIDIA accelerator"'),
  },
  {
    name: 'Fit a model', words: 'scikit-learn machine learning train test classifier',
    source: lines('from sklearn.datasets import load_iris', 'from sklearn.ensemble import RandomForestClassifier', 'from sklearn.model_selection import cross_val_score', '', 'features, labels = load_iris(return_X_y=True)', 'scores = cross_val_score(RandomForestClassifier(random_state=0), features, labels, cv=5)', "print(f'accuracy {scores.mean():.3f} ± {scores.std():.3f}')"),
  },
  {
    name: 'Time a piece of code', words: 'timeit speed performance measure',
    source: lines('import numpy as np', '', 'values = np.random.default_rng(0).random(1_000_000)', '%timeit values.sum()'),
  },
]

/** Those in which every word is found, in their name, their other words or their code. */
export function found(asked: string, snippets: readonly Snippet[] = SNIPPETS): readonly Snippet[] {
  const words = asked.toLowerCase().split(/\s+/).filter((word) => word !== '')
  return snippets.filter(({ name, words: more, source }) => {
    const all = `${name} ${more} ${source}`.toLowerCase()
    return words.every((word) => all.includes(word))
  })
}
