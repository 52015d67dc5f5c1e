/** Which package an import that failed asks for. */
import type { ErrorOutput } from '../model/wire'

/** Packages that are called otherwise than what is imported; null: there is none to install. */
const PACKAGES: Readonly<Record<string, string | null>> = {
  attr: 'attrs', Bio: 'biopython', bs4: 'beautifulsoup4', community: 'python-louvain', Crypto: 'pycryptodome', cv2: 'opencv-python-headless',
  dateutil: 'python-dateutil', distutils: 'setuptools', docx: 'python-docx', dotenv: 'python-dotenv', faiss: 'faiss-cpu', fitz: 'pymupdf', git: 'GitPython',
  github: 'PyGithub', gym: 'gymnasium', imblearn: 'imbalanced-learn', jose: 'python-jose', jwt: 'PyJWT', kafka: 'kafka-python', Levenshtein: 'python-Levenshtein',
  magic: 'python-magic', mpl_toolkits: 'matplotlib', mysql: 'mysql-connector-python', MySQLdb: 'mysqlclient', nacl: 'PyNaCl', OpenSSL: 'pyOpenSSL', osgeo: 'gdal',
  PIL: 'pillow', pkg_resources: 'setuptools', pptx: 'python-pptx', psycopg2: 'psycopg2-binary', pylab: 'matplotlib', pywt: 'PyWavelets',
  serial: 'pyserial', sentence_transformers: 'sentence-transformers', skimage: 'scikit-image', sklearn: 'scikit-learn', slugify: 'python-slugify', snappy: 'python-snappy',
  socks: 'PySocks', speech_recognition: 'SpeechRecognition', talib: 'TA-Lib', telegram: 'python-telegram-bot', torch_geometric: 'torch-geometric',
  usb: 'pyusb', websocket: 'websocket-client', wx: 'wxPython', yaml: 'PyYAML', zmq: 'pyzmq',
  'google.generativeai': 'google-generativeai', 'google.genai': 'google-genai', 'google.protobuf': 'protobuf', 'google.auth': 'google-auth',
  // Parts of Python itself, or of the system, that pip does not bring.
  _tkinter: null, tkinter: null, imp: null, asyncore: null, asynchat: null, smtpd: null,
}
const MISSING = /^No module named '([A-Za-z_]\w{0,60}(?:\.\w{1,60}){0,5})'/
/** As pandas says it. */
const OPTIONAL = /^`?Missing optional dependency '([A-Za-z0-9][\w.-]{0,60})'/

/** Null when this is no such error, or nothing could be installed against it. */
export function packageFor({ ename, evalue }: ErrorOutput): string | null {
  if (ename === 'ImportError') return OPTIONAL.exec(evalue)?.[1] ?? null
  const name = ename === 'ModuleNotFoundError' ? MISSING.exec(evalue)?.[1] : undefined
  if (name === undefined) return null
  if (Object.hasOwn(PACKAGES, name)) return PACKAGES[name]!
  const cloud = /^google\.cloud\.(\w+)/.exec(name)?.[1]
  if (cloud !== undefined) return `google-cloud-${cloud.replaceAll('_', '-')}`
  // With a dot in it, the package is there and a part of it is not.
  return name.includes('.') ? null : name
}
