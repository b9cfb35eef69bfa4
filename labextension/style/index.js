import './base.css';
import './sidebar.css';
import './page.css';
import './details.css';
import './compare.css';
import './notebook.css';
